rule inject_noise:
    input:
        samples=rules.align.output.samples,
        faces=FACES,
        file=lambda wildcards: (
            files_of(files_below(SETTINGS.noise.file))
            if parse_setting(wildcards.setting).kind == "file"
            else []
        ),
        review=REVIEW,
    output:
        labels="results/noise/{setting}/labels.parquet",
        oracle="results/noise/{setting}/oracle_clean.parquet",
        noise="results/noise/{setting}/noise.json",
    log:
        "results/logs/inject_noise/{setting}.log",
    benchmark:
        "results/logs/inject_noise/{setting}.tsv"
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("inject-noise"),
        draw=lambda wildcards: parse_setting(wildcards.setting),
        settings=step_settings("inject-noise"),
    message:
        "Draw label noise {wildcards.setting}"
    shell:
        "OMP_NUM_THREADS={threads} FERCLEAN_CODE={params.code} python3 -m ferclean inject-noise "
        "--samples {input.samples} --faces {input.faces} "
        "--output $(dirname {output.labels}) --kind {params.draw.kind} "
        "--rate {params.draw.rate} --seed {params.draw.seed} "
        "--params {params.settings:q} > {log} 2>&1"


rule all_noise:
    input:
        expand(rules.inject_noise.output, setting=NOISES),
