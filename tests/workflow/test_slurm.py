"""The same workflow through a real SLURM: every job submitted, the same bytes back."""

import pytest

from workflow.project import Project
from workflow.slurm_cluster import PARTITION, slurm_cluster, why_not

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
# This cluster has no accounting and two cores, and its jobs take seconds.
OF_THIS_CLUSTER = (
    "--slurm-no-account",
    "--max-threads=2",
    "--slurm-status-command=squeue",
    "--slurm-init-seconds-before-status-checks=2",
    "--seconds-between-status-checks=2",
    "--latency-wait=5",
    f"--default-resources=slurm_partition={PARTITION}",
)


@pytest.fixture(scope="module")
def by_slurm(fresh: Project, scratch) -> tuple[Project, str]:
    project = fresh.copy(scratch / "by-slurm")
    with slurm_cluster(scratch / "slurm") as environment:
        project.extra = environment
        output = project.run("snakemake", "--workflow-profile", "profiles/slurm", *OF_THIS_CLUSTER)
    project.extra = {}
    return project, output


def test_slurm_gives_the_same_files_as_a_local_run(by_slurm, finished):
    assert by_slurm[0].digests() == finished.digests()


def test_the_jobs_ran_on_the_cluster(by_slurm):
    _, output = by_slurm
    # Of 27 jobs six short ones stay local: list_embeddings, list_audits, summarise, report, cards
    # and all.
    # The 15 of the three runs go out as one a run, beside ingest, align, inject_noise,
    # word_vectors, semantic_embedding and audit_run.
    assert output.count("has been submitted with SLURM jobid") == 9


def test_afterwards_nothing_is_left_to_do(by_slurm):
    assert by_slurm[0].has_nothing_to_do()
