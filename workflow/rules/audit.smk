# Which labels are wrong: one run of the method "ferclean" a noise draw is looked at closely. Where
# the grid names the method, `all` makes the audit, and what the grid's other methods say of the
# same labels stands beside it; elsewhere `snakemake audit` makes the run and its audit alone.
AUDITED = "ferclean"
AUDITS = [setting for setting, method in RUNS if method == AUDITED]


localrules:
    list_audits,


# The control "oracle_clean" is told the truth and has no say.
other_methods = lambda w: [
    m
    for s, m in RUNS
    if s == w.setting and s in AUDITS and m not in (AUDITED, "oracle_clean")
]
last_partition = lambda setting, method: (
    f"results/denoise/{setting}/{method}/round_{ROUNDS[-1]}/partition.parquet"
)


rule audit_run:
    input:
        faces=FACES,
        labels="results/noise/{setting}/labels.parquet",
        duplicates="results/prepare/ingest/duplicates.csv",
        checkpoint=lambda w: checkpoint_of(w.setting, AUDITED, ROUNDS[-1]),
        partition=lambda w: last_partition(w.setting, AUDITED),
        others=lambda w: [last_partition(w.setting, m) for m in other_methods(w)],
    output:
        parquet="results/audit/{setting}/audit.parquet",
        table="results/audit/{setting}/audit.csv",
        whole="results/audit/{setting}/audit.json",
        page="results/audit/{setting}/index.html",
        review=directory("results/audit/{setting}/review"),
    log:
        "results/logs/audit_run/{setting}.log",
    benchmark:
        "results/logs/audit_run/{setting}.tsv"
    threads: SETTINGS.training.cpu_threads
    resources:
        gpu=GPU,
        mem_mb=6000,
        runtime=120,
    params:
        code=code_digest("audit-run"),
        method=AUDITED,
        seed=lambda wildcards: parse_setting(wildcards.setting).seed,
        others=lambda w: [
            f"--other {m}={last_partition(w.setting, m)}" for m in other_methods(w)
        ],
        settings=step_settings("audit-run"),
    message:
        "Audit the labels of {wildcards.setting}"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean audit-run "
        "--faces {input.faces} --labels {input.labels} --duplicates {input.duplicates} "
        "--checkpoint {input.checkpoint} --partition {input.partition} {params.others} "
        "--output $(dirname {output.parquet}) --method {params.method} "
        "--seed {params.seed} --params {params.settings:q} "
        "--device $([ {resources.gpu} -gt 0 ] && echo auto || echo cpu) > {log} 2>&1"


# DVC asks for an output even where the grid lacks the method.
rule list_audits:
    output:
        "results/audit/settings.txt",
    log:
        "results/logs/list_audits.log",
    benchmark:
        "results/logs/list_audits.tsv"
    resources:
        gpu=0,
        mem_mb=500,
        runtime=10,
    params:
        grid=config.get("grid"),
        settings=AUDITS,
    message:
        "List the noise draws that are audited"
    shell:
        "printf '%s\\n' {params.settings} > {output} 2> {log}"


rule audit:
    input:
        expand(rules.audit_run.output, setting=NOISES),


rule all_audit:
    input:
        rules.list_audits.output,
        expand(rules.audit_run.output, setting=AUDITS),
