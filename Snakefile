# The whole workflow. The package thinks (src/ferclean), the rules only wire:
#     snakemake --cores all --resources gpu=1
from snakemake.utils import min_version

min_version("9.19")


configfile: "params.yaml"


# Read only with `--software-deployment-method apptainer`: run the set-up inside this image once,
# and its virtual environment, which lies in the project folder, serves every job.
container: "docker://python:3.12"


report: "workflow/report/workflow.rst"


# A GPU belongs to one machine: `--resources gpu=1` is a limit per machine, not for a cluster.
resource_scopes:
    gpu="local",


include: "workflow/rules/common.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/noise.smk"
include: "workflow/rules/semantics.smk"
include: "workflow/rules/embed.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/denoise.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        paths(rules.all_prepare.input),
        paths(rules.all_noise.input),
        paths(rules.all_semantics.input),
        paths(rules.all_embed.input),
        paths(rules.all_pretrain.input),
        paths(rules.all_denoise.input),
        paths(rules.all_audit.input),
        paths(rules.all_evaluate.input),
        paths(rules.all_report.input),
    message:
        "Everything is made; open results/report/index.html"
