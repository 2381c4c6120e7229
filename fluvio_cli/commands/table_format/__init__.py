"""Commands on table formats, the layouts of tables that the cluster keeps."""
