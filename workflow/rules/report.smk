localrules:
    report,


rule report:
    input:
        prepare=rules.all_prepare.input,
        noise=rules.all_noise.input,
        semantics=rules.all_semantics.input,
        denoise=rules.all_denoise.input,
        evaluations=[
            expand(rules.evaluate.output, setting=s, method=m) for s, m in RUNS
        ],
        summary=rules.summarise.output,
        source=sources_of("report"),
    output:
        page=report(
            "results/report/index.html",
            caption="../report/page.rst",
            category="ferclean",
        ),
    log:
        "results/logs/report.log",
    benchmark:
        "results/logs/report.tsv"
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=60,
    params:
        runs=[f"--run {run}" for run in RUN_FOLDERS],
        settings=step_params(config, "report"),
    message:
        "Write the report"
    shell:
        "OMP_NUM_THREADS={threads} python3 -m ferclean report "
        "--prepare results/prepare --noise results/noise "
        "--semantics results/semantics --denoise results/denoise "
        "--evaluations results/evaluate --summary results/summary {params.runs} "
        "--output {output.page} --params {params.settings:q} > {log} 2>&1"


rule all_report:
    input:
        rules.report.output,
