"""Draws the pictures of `docs/metrics.md`: tiny masks, calls, scores and boxes, with the numbers carpus gives them.

Run it from the repository: `uv run docs/pictures/metrics.py`.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from carpus.imaging import Box
from carpus.metrics import (
    FoundBox,
    ReferenceBox,
    acc,
    assd,
    auroc,
    average_precision,
    average_precision_boxes,
    bacc,
    box_iou,
    brier,
    calibration_error,
    confusion,
    contour_nsd,
    dor,
    dsc,
    f1,
    hd95,
    icc,
    mae,
    mcc,
    msd,
    nsd,
    pre,
    quadratic_weighted_kappa,
    ravd,
    reliability,
    sen,
    spc,
    surface_distances,
    voe,
    within_one,
)

HERE = Path(__file__).parent
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#666666"
Mask = Bool[np.ndarray, "h w"]


def main() -> None:
    """Writes the pictures beside this file."""
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False})
    for name, draw in (
        ("overlap", draw_overlap),
        ("surface", draw_surface),
        ("erosion", draw_erosion),
        ("scores", draw_scores),
        ("boxes", draw_boxes),
    ):
        figure = draw()
        figure.savefig(HERE / f"metrics-{name}.png", dpi=130, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)


def draw_overlap() -> plt.Figure:
    """Three predictions of one bone: moved, too large, missed."""
    reference = disc(5.5, 5.5, 3.6)
    missed = np.zeros_like(reference)
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.6), layout="constrained")
    for ax, title, predicted in (
        (axes[0], "moved by 2 px", np.roll(reference, 2, axis=1)),
        (axes[1], "too large", disc(5.5, 5.5, 4.6)),
        (axes[2], "missed", missed),
    ):
        colours = reference + 2 * predicted
        ax.imshow(colours, cmap=ListedColormap(["white", BLUE, ORANGE, GREEN]), vmin=0, vmax=3)
        pixels(ax, reference)
        values = f"DSC {dsc(reference, predicted):.3f}   VOE {voe(reference, predicted):.3f}   "
        ax.set_title(f"{title}\n{values}RAVD {ravd(reference, predicted):.3f}")
    handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in (BLUE, ORANGE, GREEN)]
    figure.legend(
        handles, ["reference only", "prediction only", "both"], loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def draw_surface() -> plt.Figure:
    """Outlines as pixels with their distances, and as lines between pixels."""
    reference, predicted = disc(5.5, 5.5, 3.6), disc(5.5, 6.5, 3.6)
    predicted[5:7, 10] = predicted[5:7, 11] = True
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.9), layout="constrained")
    one, other = outline(reference), outline(predicted)
    ax = axes[0]
    ax.imshow(one + 2 * other, cmap=ListedColormap(["white", BLUE, ORANGE, GREEN]), vmin=0, vmax=3)
    pixels(ax, reference)
    for start in np.argwhere(other & ~one):
        to = np.argwhere(one)
        end = to[np.argmin(np.hypot(*(to - start).T))]
        ax.annotate("", end[::-1], start[::-1], arrowprops={"arrowstyle": "->", "color": "black", "lw": 0.9})
    distances = surface_distances(reference, predicted)
    ax.set_title(
        f"pixels of both outlines; arrows: prediction to reference\n"
        f"NSD at 1 px {nsd(distances, tolerance_px=1):.3f}   MSD {msd(distances):.3f} px\n"
        f"ASSD {assd(distances):.3f} px   HD95 {hd95(distances):.3f} px"
    )
    ax = axes[1]
    ax.imshow(np.zeros_like(reference), cmap=ListedColormap(["white"]))
    pixels(ax, reference)
    for mask, colour, width in ((reference, BLUE, 4.5), (predicted, ORANGE, 2)):
        for ends in pieces(mask):
            ax.plot(*ends, color=colour, lw=width, solid_capstyle="round")
    length = contour_nsd(reference, predicted, tolerance_mm=1, spacing_mm=(1, 1))
    ax.set_title(f"lines between pixels\nNSD by length at 1 px {length:.3f}")
    handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in (BLUE, ORANGE, GREEN)]
    figure.legend(handles, ["reference", "prediction", "both"], loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_erosion() -> plt.Figure:
    """Counts, the ROC and precision curves, and the reliability of made-up probabilities."""
    generator = np.random.default_rng(7)
    truth = generator.random(400)
    reference = generator.random(400) < truth**2
    probability = np.clip(truth + generator.normal(0, 0.15, 400), 0, 1)
    counts = confusion(reference, probability >= 0.5)
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.7), layout="constrained")

    ax = axes[0]
    table = np.array([[counts.tp, counts.fn], [counts.fp, counts.tn]])
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1.6 * table.max())
    for (y, x), name in np.ndenumerate(np.array([["TP", "FN"], ["FP", "TN"]])):
        ax.text(x, y, f"{name}\n{table[y, x]}", ha="center", va="center", fontsize=12)
    ax.set_xticks([0, 1], ["called eroded", "called healthy"])
    ax.set_yticks([0, 1], ["eroded", "healthy"], rotation=90, va="center")
    ax.set_title(
        f"SEN {sen(counts):.3f}  SPC {spc(counts):.3f}  PRE {pre(counts):.3f}\n"
        f"ACC {acc(counts):.3f}  BACC {bacc(counts):.3f}\n"
        f"F1 {f1(counts):.3f}  DOR {dor(counts):.2f}  MCC {mcc(counts):.3f}"
    )

    each = [confusion(reference, probability >= cut) for cut in np.unique(probability)[::-1]]
    found, alarms = [0.0, *map(sen, each)], [0.0, *(1 - spc(one) for one in each)]
    axes[1].fill_between(alarms, found, step="post", color=BLUE, alpha=0.2)
    axes[1].step(alarms, found, where="post", color=BLUE)
    axes[1].plot([0, 1], [0, 1], color=GREY, ls=":")
    axes[1].set(xlabel="1 \N{MINUS SIGN} SPC", ylabel="SEN", title=f"AUROC {auroc(reference, probability):.3f}")
    precision = [pre(each[0]), *map(pre, each)]
    axes[2].fill_between(found, precision, step="pre", color=BLUE, alpha=0.2)
    axes[2].step(found, precision, where="pre", color=BLUE)
    axes[2].axhline(reference.mean(), color=GREY, ls=":")
    axes[2].set(xlabel="SEN", ylabel="PRE", ylim=(0, 1.03), title=f"AP {average_precision(reference, probability):.3f}")
    curve = reliability(reference, probability)
    axes[3].plot([0, 1], [0, 1], color=GREY, ls=":")
    axes[3].vlines(curve.predicted, curve.observed, curve.predicted, color=ORANGE, lw=2)
    axes[3].scatter(curve.predicted, curve.observed, s=curve.counts, color=BLUE, zorder=3)
    axes[3].set(
        xlabel="mean probability of a bin",
        ylabel="share of eroded joints",
        title=f"Brier {brier(reference, probability):.3f}   "
        f"ECE, 10 bins {calibration_error(reference, probability):.3f}",
    )
    for ax in axes[1:]:
        ax.set_aspect("equal")
    return figure


def draw_scores() -> plt.Figure:
    """Two readers: how often each pair of scores, and what each pair costs."""
    generator = np.random.default_rng(3)
    reference = generator.choice(6, 120, p=[0.4, 0.2, 0.15, 0.12, 0.05, 0.08])
    predicted = np.clip(reference + generator.choice([-1, 0, 1, 2], 120, p=[0.15, 0.6, 0.2, 0.05]), 0, 5)
    table = np.zeros((6, 6), int)
    np.add.at(table, (reference, predicted), 1)
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.5), layout="constrained")
    cost = np.subtract.outer(np.arange(6), np.arange(6)) ** 2
    kappa = quadratic_weighted_kappa(reference, predicted)
    pairs = np.column_stack([reference, predicted])
    titles = (
        f"joints with each pair of scores\nkappa {kappa:.3f}   ICC {icc(pairs):.3f}\n"
        f"MAE {mae(reference, predicted):.3f}   within 1 {within_one(reference, predicted):.3f}",
        "what kappa counts a pair for",
    )
    for ax, values, title, colours in zip(axes, (table, cost), titles, ("Blues", "Oranges"), strict=True):
        ax.imshow(values, cmap=colours, vmax=1.6 * values.max())
        for (y, x), value in np.ndenumerate(values):
            ax.text(x, y, value, ha="center", va="center", weight="bold" if abs(y - x) <= 1 else "normal")
        ax.set(xlabel="prediction", ylabel="reference", title=title, xticks=range(6), yticks=range(6))
    return figure


def draw_boxes() -> plt.Figure:
    """The overlap of two boxes, and the precision over cuts of three answers."""
    drawn = [ReferenceBox("a", "Lu", Box(3, 3, 10, 10)), ReferenceBox("a", "Lu", Box(18, 3, 12, 10))]
    found = [
        FoundBox("a", "Lu", Box(4, 4, 10, 10), 0.9),
        FoundBox("a", "Lu", Box(20, 14.5, 12, 5), 0.7),
        FoundBox("a", "Lu", Box(18, 2, 12, 10), 0.6),
    ]
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.9), layout="constrained")
    for one in drawn:
        axes[0].add_patch(Rectangle((one.box.x, one.box.y), one.box.width, one.box.height, fc="none", ec=BLUE, lw=3))
    for answer in found:
        box = answer.box
        axes[0].add_patch(Rectangle((box.x, box.y), box.width, box.height, fc="none", ec=ORANGE, lw=2, ls="--"))
        best = max(box_iou(one.box, box) for one in drawn)
        text = f"confidence {answer.confidence}\nIoU {best:.2f}"
        axes[0].text(*box.centre, text, ha="center", va="center")
    axes[0].set(xlim=(2, 33), ylim=(20.5, 1), aspect="equal", xticks=[], yticks=[])
    axes[0].spines[:].set_visible(False)
    axes[0].set_title("reference (blue) and answers (orange, dashed)")

    precision = average_precision_boxes(drawn, found)
    cuts = np.linspace(0.5, 0.95, 10)
    axes[1].bar(cuts, precision.by_cut, width=0.035, color=BLUE)
    axes[1].axhline(precision.ap, color=GREY, ls=":")
    axes[1].set(xlabel="IoU cut", ylabel="average precision", ylim=(0, 1), xticks=cuts[::3])
    axes[1].set_title(f"AP {precision.ap:.3f}   AP50 {precision.ap50:.3f}   AP75 {precision.ap75:.3f}")
    return figure


def disc(y: float, x: float, radius: float) -> Mask:
    """A bone of a few pixels."""
    rows, columns = np.mgrid[:12, :13]
    return np.asarray(np.hypot(rows - y, columns - x) < radius)


def outline(mask: Mask) -> Mask:
    """The pixels that touch the outside along an edge."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def pieces(mask: Mask) -> list[tuple[list[float], list[float]]]:
    """The lines of marching squares, as x and y of both ends; these masks have no corner where two cross."""
    padded = np.pad(mask, 1)
    found = []
    for y in range(mask.shape[0] + 1):
        for x in range(mask.shape[1] + 1):
            (a, b), (c, d) = padded[y : y + 2, x : x + 2]
            sides = (((0, -0.5), a != b), ((0, 0.5), c != d), ((-0.5, 0), a != c), ((0.5, 0), b != d))
            ends = [(x - 0.5 + dx, y - 0.5 + dy) for (dx, dy), crossed in sides if crossed]
            if ends:
                found.append(([end[0] for end in ends], [end[1] for end in ends]))
    return found


def pixels(ax: Axes, mask: Mask) -> None:
    """Shows the grid, without numbers."""
    ax.set_xticks(np.arange(mask.shape[1] + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(mask.shape[0] + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#dddddd", lw=0.6)
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


if __name__ == "__main__":
    main()
