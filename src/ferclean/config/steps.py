"""Which sections of params.yaml each step depends on: read by the CLI, the rules and the tests."""

from __future__ import annotations

STEP_SECTIONS: dict[str, tuple[str, ...]] = {
    "ingest": ("data",),
    "align": ("data", "align"),
    "inject-noise": ("noise", "review"),
    "word-vectors": ("data", "semantics"),
    "semantic-embedding": ("embedding", "training"),
    "pretrain": ("model", "training", "methods"),
    "partition": ("model", "training", "methods"),
    "train": ("model", "training", "methods"),
    "audit-run": ("model", "training", "methods"),
    "evaluate": ("evaluate",),
    "summarise": (),
    "report": ("report",),
    "cards": ("data", "align", "model", "training", "methods"),
}
