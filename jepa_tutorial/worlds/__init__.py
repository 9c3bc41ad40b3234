"""What makes data: toy worlds, real digits, and a cache for what is slow to make."""
