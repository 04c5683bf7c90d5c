"""The course for a class: JupyterHub's configuration, the way of the exercises, and the size of machine."""
