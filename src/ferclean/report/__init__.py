"""The offline HTML page: loaded results in, text out."""
