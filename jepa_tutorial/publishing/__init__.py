"""What executes, stores and checks the chapters."""
