"""One module a workflow step: files in, files out."""
