"""Installs, upgrades and removes clusters elsewhere than on this machine, first of all on Kubernetes.

Empty so far: this release starts clusters on this machine only (`fluvio_local_cluster.lifecycle`). The
room is here so that its place among the layers is fixed: below the command line, above `lifecycle`,
because it will choose between the local engine and others. The package is called `fluvio_installer`
since `installer` is the name of the package that Poetry imports.
"""
