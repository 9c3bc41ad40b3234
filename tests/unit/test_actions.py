"""Networks that know of actions: shapes, what depends on what, and what they refuse."""

from __future__ import annotations

import pytest
import torch

from jepa_tutorial.decoders import TransformerDecoder
from jepa_tutorial.encoders import FlatEncoder, ViTEncoder
from jepa_tutorial.networks import TransformerBlock
from jepa_tutorial.predictors import (
    ActionEmbedding,
    ActionEncoder,
    MLPTransition,
    TransformerTransition,
    roll_out,
)

FRAMES = dict(channels=3, image_size=16)


def flat():
    return FlatEncoder(history_length=2, **FRAMES, hidden_dim=8, latent_dim=5)


def vit():
    sizes = dict(patch=4, dim=8, depth=2, heads=2, latent_dim=5)
    return ViTEncoder(history_length=2, **FRAMES, **sizes)


def mlp_transition():
    return MLPTransition(5, ActionEncoder(2, 4), action_emb_dim=4, hidden_dim=8)


def transformer_transition():
    return TransformerTransition(
        5, ActionEncoder(2, 4), action_emb_dim=4, dim=8, transition_depth=2, heads=2
    )


def decoder():
    sizes = dict(patch_size=4, decoder_dim=8, depth=2, heads=2, mlp_dim=16)
    return TransformerDecoder(5, **FRAMES, **sizes)


@pytest.mark.parametrize("make", [flat, vit])
def test_encoders_share_one_interface(make):
    encoder = make()
    assert encoder(torch.rand(3, 2, 3, 16, 16)).shape == (3, 5)
    with pytest.raises(ValueError, match="windows must have"):
        encoder(torch.rand(3, 2, 1, 16, 16))


def test_blocks_keep_shapes_and_mix_tokens():
    block = TransformerBlock(8, heads=2, mlp_dim=16)
    tokens = torch.rand(2, 5, 8)
    out = block(tokens)
    assert out.shape == tokens.shape
    other = tokens.clone()
    other[:, 0] += torch.rand(8)
    assert not torch.allclose(block(other)[:, 1:], out[:, 1:])


def test_a_block_does_not_know_the_order_of_its_tokens():
    block = TransformerBlock(8, heads=2, mlp_dim=16)
    tokens = torch.rand(2, 5, 8)
    torch.testing.assert_close(block(tokens.flip(1)), block(tokens).flip(1))


def test_patches_know_their_places():
    encoder = vit()
    windows = torch.rand(1, 2, 3, 16, 16)
    moved = windows.roll(4, dims=-1)  # the same patches elsewhere
    assert not torch.allclose(encoder(windows), encoder(moved))


@pytest.mark.parametrize("make", [mlp_transition, transformer_transition])
def test_transitions_depend_on_latent_and_action(make):
    transition = make()
    z, a = torch.rand(3, 5), torch.rand(3, 2)
    out = transition(z, a)
    assert out.shape == (3, 5)
    assert not torch.allclose(transition(z, -a), out)
    assert not torch.allclose(transition(-z, a) + z, out - z)
    with pytest.raises(ValueError, match="z must have"):
        transition(z[:, :4], a)


def test_dropout_acts_in_training_only():
    transition = MLPTransition(
        5, ActionEncoder(2, 4), action_emb_dim=4, hidden_dim=8, dropout=0.5
    )
    z, a = torch.rand(3, 5), torch.rand(3, 2)
    assert not torch.equal(transition(z, a), transition(z, a))
    transition.eval()
    assert torch.equal(transition(z, a), transition(z, a))


def test_a_discrete_action_is_looked_up():
    embedding = ActionEmbedding(3, 4)
    one_of_three = torch.eye(3)[[2, 0, 2]]
    out = embedding(one_of_three)
    assert torch.equal(out, embedding.table.weight[[2, 0, 2]])
    transition = MLPTransition(5, embedding, action_emb_dim=4, hidden_dim=8)
    assert transition(torch.rand(3, 5), one_of_three).shape == (3, 5)


def test_rolling_out_follows_the_actions():
    def add(z, a):
        return z + a

    actions = torch.tensor([[[1.0], [2.0], [-4.0]]])
    path = roll_out(add, torch.tensor([[10.0]]), actions.unbind(dim=1))
    assert path.flatten().tolist() == [11, 13, 9]


def test_decoder_gives_frames_and_each_patch_its_place():
    network = decoder()
    z = torch.rand(2, 5)
    assert network(z).shape == (2, 3, 16, 16)
    assert not torch.allclose(network(z)[..., :4], network(z)[..., 4:8])
