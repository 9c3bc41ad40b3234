"""The headline claims of the book, one line each.

A claim is an expression over what a run reports. Its threshold was set on the tuning seeds, 100 to
104, which no figure and no sentence uses, or before any of the runs. Beside it stands the same
expression for the model without the part in question, which must fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

BOOK = Path(__file__).resolve().parents[2] / "book"


class Claim(NamedTuple):
    """What a chapter says, and of which runs."""

    chapter: str
    words: str
    holds: str
    fails: str
    variant: dict  # the changed parameters of the rows that hold it
    rival: dict  # of those that must fail
    beforehand: bool  # whether its threshold was set before any of the runs


def claims(chapter, *lines, variant=None, rival=None, beforehand=False):
    """Claims of one chapter about one variant and, where it is another, its rival."""
    variant = variant or {}
    rival = variant if rival is None else rival
    return [Claim(chapter, *line, variant, rival, beforehand) for line in lines]


LINE = {"pattern": "line", "noise_levels": []}
TRAJECTORIES = [
    ("the slow target keeps the cloud open", "spread >= 0.3", "broken_spread >= 0.3"),
    (
        "the slow target finds the right future",
        "retrieval_over_chance >= 20",
        "broken_retrieval_over_chance >= 20",
    ),
    (
        "by mean cosine the broken model is ahead",
        "broken_mean_cosine > mean_cosine",
        "mean_cosine > broken_mean_cosine",
    ),
    (
        "the living cloud is narrow because it is far, the dead one because it is small",
        "width_at_lowest_spread >= 0.9 * width_at_start",
        "broken_width_at_end >= 0.9 * width_at_start",
    ),
]
CLAIMS = [
    *claims("01_trajectories", *TRAJECTORIES),
    *claims("01_trajectories", *TRAJECTORIES, variant=LINE),
    *claims(
        "01_trajectories",
        (
            "training is what finds the angular velocity",
            "probe_angular_velocity >= 0.85",
            "untrained_probe_angular_velocity >= 0.85",
        ),
        (
            "a plain probe passes a dead encoder, a noisy one does not",
            "broken_probe_sin_phase >= 0.95",
            "broken_noisy_probe_sin_phase >= 0.95",
        ),
        (
            "the JEPA and its twin both leave out the noise, more than random weights do",
            "max(noise_probe_jepa_0_2, noise_probe_twin_0_2) <= 0.2 * noise_probe_raw_0_2",
            "noise_probe_untrained_0_2 <= 0.2 * noise_probe_raw_0_2",
        ),
        (
            "a predictor with a head start takes the dip away",
            "ahead_lowest_spread >= 0.8 * start_spread",
            "lowest_spread >= 0.8 * start_spread",
        ),
    ),
    *claims(
        "02_target_encoders",
        (
            "a stopped gradient and a network that predicts live; through both branches it dies",
            "spread_mlp_cosine_stop >= 0.3 and spread_mlp_squared_stop >= 0.3",
            "spread_mlp_cosine_both >= 0.3 and spread_mlp_squared_both >= 0.3",
        ),
        (
            "without a predictor a stopped gradient does not help",
            "spread_mlp_cosine_stop >= 0.3 and spread_mlp_squared_stop >= 0.3",
            "spread_none_cosine_stop >= 0.3 and spread_none_squared_stop >= 0.3",
        ),
        (
            "without a predictor a slow copy keeps what stays and kills what moves",
            "velocity_none_cosine_slow >= 0.5 and velocity_none_squared_slow >= 0.5",
            "phase_none_cosine_slow >= 0.5 and phase_none_squared_slow >= 0.5",
        ),
        (
            "a linear predictor that learns faster lives, one that learns more slowly dies",
            "spread_linear_faster >= 0.3",
            "spread_linear_slower >= 0.3",
        ),
        (
            "the sign of a linear predictor's start chooses what is learned",
            "velocity_linear_plus >= 0.8 and phase_linear_minus >= 0.8",
            "velocity_linear_minus >= 0.8 and phase_linear_plus >= 0.8",
        ),
        (
            "in the dive a constant grows; a predictor that goes ahead prevents it",
            "constant_growth_cosine_stop >= 6 and lowest_spread_cosine_stop < 0.2",
            "constant_growth_ahead >= 6 and lowest_spread_ahead < 0.2",
        ),
        (
            "a slower predictor makes the dive deeper",
            "lowest_spread_slower < 0.05",
            "lowest_spread_cosine_stop < 0.05",
        ),
        (
            "a toy dives where the steps of many units add up",
            "toy_constant_growth_summed >= 3 and toy_lowest_spread_summed < 0.2",
            "toy_constant_growth_alone >= 3 and toy_lowest_spread_alone < 0.2",
        ),
        (
            "a slow copy has a better start",
            "early_velocity_decay_3 >= 0.6",
            "early_velocity_cosine_stop >= 0.6",
        ),
        (
            "a frozen random target does in this world, and not in a noisy one",
            "velocity_mlp_decay_4 >= 0.8",
            "noisy_velocity_decay_4 >= 0.8",
        ),
        (
            "in the noisy world a target that moves slowly is better than a frozen one",
            "noisy_velocity_decay_3 >= 0.8 and signal_share_decay_3 >= 0.5",
            "noisy_velocity_decay_4 >= 0.8 and signal_share_decay_4 >= 0.5",
        ),
        (
            "in mode default the prediction never moves the encoder",
            "encoder_moved_vjepa2 > 0",
            "encoder_moved_default > 0",
        ),
    ),
    *claims(
        "03_collapse",
        (
            "a stopped gradient alone prevents collapse",
            "not collapsed_nothing_stop",
            "not collapsed_nothing_online",
        ),
        (
            "with the gradient flowing, full rank prevents it, variance alone does not",
            "not collapsed_vicreg_online",
            "not collapsed_variance_online",
        ),
        (
            "variance alone ends on a line whose deviation looks healthy",
            "rank_variance_online < 2 and std_variance_online >= 0.9",
            "rank_vicreg_online < 2 and std_vicreg_online >= 0.9",
        ),
        (
            "Barlow Twins on one batch shrinks at nearly full rank",
            "rank_barlow_batch_online >= 14 and std_barlow_batch_online <= 0.1",
            "rank_barlow_views_online >= 14 and std_barlow_views_online <= 0.1",
        ),
        (
            "without a stopped gradient SIGReg lives by weight times batch",
            "not (collapsed_sigreg_squared_16_3 or collapsed_sigreg_squared_64_2"
            " or collapsed_sigreg_squared_256_1)",
            "not (collapsed_sigreg_squared_16_2 or collapsed_sigreg_squared_64_1"
            " or collapsed_sigreg_squared_256_0)",
        ),
        (
            "with the cosine it takes sixteen times as much",
            "not (collapsed_sigreg_cosine_16_5 or collapsed_sigreg_cosine_64_4"
            " or collapsed_sigreg_cosine_256_3)",
            "not (collapsed_sigreg_cosine_16_3 or collapsed_sigreg_cosine_64_2"
            " or collapsed_sigreg_cosine_256_1)",
        ),
        (
            "VICReg lives from one weight on, whatever the batch",
            "not (collapsed_vicreg_squared_16_4 or collapsed_vicreg_squared_64_4"
            " or collapsed_vicreg_squared_256_4)",
            "not (collapsed_vicreg_squared_16_2 or collapsed_vicreg_squared_64_2"
            " or collapsed_vicreg_squared_256_2)",
        ),
        (
            "a larger weight than needed costs the velocity",
            "velocity_sigreg_squared_256_1 - velocity_sigreg_squared_256_5 >= 0.1",
            "velocity_sigreg_squared_256_5 - velocity_sigreg_squared_256_1 >= 0.1",
        ),
        (
            "SIGReg and Barlow Twins revive a network that has collapsed",
            "not (collapsed_late_sigreg or collapsed_late_barlow)",
            "not (collapsed_late_nothing or collapsed_before_sigreg)",
        ),
        (
            "VICReg brings a dead cloud back to size, a gradient stopped late does not",
            "rank_late_vicreg >= 2 and std_late_vicreg >= 0.9",
            "rank_late_stop >= 2 and std_late_stop >= 0.9",
        ),
        (
            "beside a stopped gradient SIGReg fills the latent with noise",
            "nuisance_sigreg_stop >= 0.1",
            "nuisance_nothing_stop >= 0.1",
        ),
        (
            "RankMe sees a speck far from the origin, the effective rank does not",
            "rank_far_speck >= 10",
            "rankme_far_speck >= 10",
        ),
    ),
    *claims(
        "04_what_it_keeps",
        (
            "beside half-predictable nuisances the JEPA keeps the velocity, the twin loses it",
            "min(velocity_jepa_half_03, velocity_jepa_half_1, velocity_jepa_half_3) >= 0.8",
            "min(velocity_twin_half_03, velocity_twin_half_1, velocity_twin_half_3) >= 0.8",
        ),
        (
            "beside strong ones the twin loses the position as well",
            "position_jepa_half_1 >= 0.9 and position_jepa_half_3 >= 0.9",
            "position_twin_half_1 >= 0.9 and position_twin_half_3 >= 0.9",
        ),
        (
            "a twin with a whitened target keeps it",
            "position_whitened_half_1 >= 0.9 and position_whitened_half_3 >= 0.9",
            "position_twin_half_1 >= 0.9 and position_twin_half_3 >= 0.9",
        ),
        (
            "beside weak nuisances that stay, the twin keeps the position, the JEPA loses it",
            "position_twin_slow_03 >= 0.6 and position_twin_static_03 >= 0.6",
            "position_jepa_slow_03 >= 0.6 and position_jepa_static_03 >= 0.6",
        ),
        (
            "so does an autoencoder",
            "position_autoencoder_slow_03 >= 0.8 and position_autoencoder_static_03 >= 0.8",
            "position_jepa_slow_03 >= 0.8 and position_jepa_static_03 >= 0.8",
        ),
        (
            "regularizing changes mends what stays",
            "velocity_changes_slow_1 >= 0.8 and velocity_changes_static_1 >= 0.8",
            "velocity_jepa_slow_1 >= 0.8 and velocity_jepa_static_1 >= 0.8",
        ),
        (
            "and throws it out, wanted or not",
            "static_nuisance_changes <= 0.05",
            "static_nuisance_jepa <= 0.05",
        ),
        (
            "with single frames it loses the point to white noise",
            "position_changes_one_frame <= 0.05",
            "position_changes_white_1 <= 0.05",
        ),
        (
            "strong white noise costs the twin samples",
            "velocity_twin_n_30000 >= 0.6",
            "velocity_twin_n_1000 >= 0.6",
        ),
        (
            "and the JEPA hardly any",
            "velocity_jepa_n_1000 >= 0.8",
            "velocity_twin_n_1000 >= 0.8",
        ),
        (
            "networks: beside half-predictable nuisances a JEPA keeps the position, no twin does",
            "position_net_flowing_half_1 >= 0.8 and position_net_flowing_half_3 >= 0.8",
            "position_net_twin_half_1 >= 0.8 and position_net_twin_half_3 >= 0.8",
        ),
        (
            "networks: beside strong ones, with a slow copy as well",
            "position_net_jepa_half_3 >= 0.5",
            "position_net_twin_half_3 >= 0.5",
        ),
        (
            "networks: what stays fools a JEPA, regularized changes mend it",
            "position_net_changes_slow_1 >= 0.4 and position_net_changes_static_1 >= 0.4",
            "position_net_flowing_slow_1 >= 0.4 and position_net_flowing_static_1 >= 0.4",
        ),
    ),
    *claims(
        "05_dynamics",
        (
            "circle and spiral are linear in two observations, the Lissajous figure in four",
            "max(linear_2_error_50_circle, linear_2_error_50_spiral) < 1e-3"
            " and linear_4_error_50_lissajous < 0.01",
            "max(linear_2_error_50_circle, linear_2_error_50_spiral) < 1e-3"
            " and linear_2_error_50_lissajous < 0.01",
        ),
        (
            "ten substeps keep the energy, one does not",
            "largest_drift_10_substeps < 1e-4",
            "largest_drift_1_substeps < 1e-4",
        ),
        (
            "a JEPA goes on for longer than its twin, trained on observations",
            "valid_jepa >= 5.2",
            "valid_twin >= 5.2",
        ),
        (
            "on the curves it is more accurate than the twin",
            "max(error_50_jepa_circle, error_50_jepa_spiral, error_50_jepa_lissajous) <= 0.06",
            "max(error_50_twin_circle, error_50_twin_spiral, error_50_twin_lissajous) <= 0.06",
        ),
        (
            "on the spiral it is ahead of a supervised network with equal steps",
            "error_50_jepa_spiral <= 0.05",
            "error_50_supervised_spiral <= 0.05",
        ),
        (
            "with equal compute a supervised network on positions lasts longer than a JEPA",
            "valid_supervised_longer >= 9.2",
            "valid_jepa >= 9.2",
        ),
        (
            "rolled-out latents stay near the encoded ones, those of the twin do not",
            "strayed_jepa <= 2",
            "strayed_twin <= 2",
        ),
        (
            "trained on one step they do not either",
            "strayed_jepa <= 1.4",
            "strayed_one_step <= 1.4",
        ),
        (
            "trained on one step a forecast ends early",
            "valid_jepa >= 10 * valid_persistence",
            "valid_one_step >= 10 * valid_persistence",
        ),
        (
            "in chaotic motion the first estimate is what ends it, in regular motion it is not",
            "valid_chaotic_physics - valid_chaotic_jepa <= 1",
            "valid_regular_physics - valid_regular_jepa <= 1",
        ),
        (
            "with noise, exact physics from its latent goes on for longer than its own step",
            "valid_noisy_physics >= 4.25",
            "valid_noisy_jepa_8 >= 4.25",
        ),
    ),
    *claims(
        "06_pendulum_pixels",
        (
            "a small network reads angles and velocities, off random weights it does not",
            "min(probe_sin_1, probe_cos_1, probe_sin_2, probe_cos_2) >= 0.93"
            " and min(probe_speed_1, probe_speed_2) >= 0.9",
            "min(random_sin_1, random_cos_1, random_sin_2, random_cos_2) >= 0.93"
            " and min(random_speed_1, random_speed_2) >= 0.9",
        ),
        (
            "a linear probe does not read the velocities",
            "min(probe_speed_1, probe_speed_2) >= 0.9",
            "min(linear_speed_1, linear_speed_2) >= 0.9",
        ),
        (
            "from mid-swing its forecast lasts four times as long as persistence",
            "valid_learned >= 4 * valid_persistence",
            "valid_straight >= 4 * valid_persistence",
        ),
        (
            "the trained decoder draws the second bob where the probe sees it",
            "second_bob_drawn >= 0.5",
            "second_bob_drawn_early >= 0.5",
        ),
        (
            "surprise catches a swap, a frame difference does not",
            "caught_swap_surprise >= 0.9",
            "caught_swap_much_change >= 0.9",
        ),
        (
            "beside a stopped gradient noise fills the latent, where it flows it does not",
            "share_flowing >= 0.9",
            "share_base >= 0.9",
        ),
        (
            "weaker demands and a faster copy empty it",
            "share_mended > share_base",
            "share_base > share_mended",
        ),
        (
            "large flickering patterns fill the twin's latent and not the JEPA's",
            "angle_ahead_jepa_patterns >= 0.8 and share_jepa_patterns >= 0.6",
            "angle_ahead_twin_patterns >= 0.8 and share_twin_patterns >= 0.6",
        ),
        (
            "a whitened target restores the twin",
            "angle_ahead_white_patterns >= 0.8",
            "angle_ahead_twin_patterns >= 0.8",
        ),
        (
            "with regularized changes a JEPA reads the angle beside a static texture",
            "angle_ahead_changes_static >= 0.9",
            "angle_ahead_jepa_static >= 0.9",
        ),
    ),
    *claims(
        "07_moving_mnist",
        (
            "its forecast knows where digits will be, better than the exact law from detections",
            "mAP_carrying >= 0.54 and mAP_carrying >= 4 * mAP_carrying_still",
            "mAP_velocity >= 0.54 and mAP_velocity >= 4 * mAP_carrying_still",
        ),
        (
            "with a predictor that carries what it expects can be read",
            "read_rebuilt_carrying >= 0.9 * read_true_carrying"
            " and read_1_carrying >= 0.8 * read_true_carrying"
            " and read_4_carrying >= 0.4 * read_true_carrying",
            "read_rebuilt_first >= 0.9 * read_true_first"
            " and read_1_first >= 0.8 * read_true_first"
            " and read_4_first >= 0.4 * read_true_first",
        ),
        (
            "fed with true maps it is as precise at seven steps as at one",
            "AP_7_carrying <= 0.7 * AP_1_carrying",
            "AP_7_fed_with_truth <= 0.7 * AP_1_carrying",
        ),
        (
            "without centering a good part of the variance is a static pattern",
            "static_share_broken >= 0.25",
            "static_share_fixed >= 0.25",
        ),
        (
            "three digits are more of the same, another speed is not",
            "mAP_three_digits >= 2 * mAP_three_digits_still",
            "mAP_half_speed >= 2 * mAP_half_speed_still",
        ),
        # Aims from before the model was built, and thresholds of the first edition.
        beforehand=True,
    ),
    *claims(
        "08_actions",
        (
            "it reads where the dot is",
            "probe_rmse <= 0.025",
            "probe_rmse_untrained <= 0.025",
        ),
        (
            "it sees the pendulum swing and turn",
            "min(R2_cosine, R2_sine, R2_spin) >= 0.9",
            "min(R2_cosine_untrained, R2_sine_untrained, R2_spin_untrained) >= 0.9",
        ),
        (
            "it uses the actions of the pendulum",
            "pendulum_true_actions >= 0.65",
            "pendulum_other_actions >= 0.65",
        ),
    ),
    *claims(
        "09_planning",
        (
            "most arrive, and going straight does not",
            "success > 0.8",
            "success_straight > 0.8",
        ),
        (
            "with the world, the closest approach arrives where the mean does not",
            "world_closest > 0.9",
            "world_mean > 0.9",
        ),
        (
            "the mean holds dots in the room where they began",
            "stuck_mean > 0.05",
            "stuck_closest > 0.05",
        ),
        (
            "kept to its end, a plan arrives by the last distance",
            "world_last_kept > 0.5",
            "world_last > 0.5",
        ),
    ),
    *claims(
        "09_planning",
        (
            "a model of one wall does not find a moved door, one of random walls does",
            "success_moved_door < 0.5",
            "success_moved_door < 0.5",
        ),
        rival={"random": True, "num_samples": 16000, "steps": 5000, "mode": "changes"},
    ),
]
