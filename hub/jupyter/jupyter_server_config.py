"""Every user's server on the hub, beside the settings in tools/jupyter."""

c = get_config()  # noqa: F821 - Jupyter puts it here

# A kernel on the loopback publishes its output to whoever connects, on this machine every learner. Sockets in a folder
# of the user's own are reached by nobody else.
c.KernelManager.transport = "ipc"

# An open notebook holds memory; one that nobody looks at is given up after an hour.
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 300

# By itself a terminal here is a login shell, whose /etc/profile sets PATH anew, and `nbgrader` would not be found.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}

# What is installed is the same for all, and the list of what else there is would be asked of another host.
c.LabApp.extension_manager = "readonly"

# Nobody here edits with a language server, and looking for one at each start costs a second.
c.LanguageServerManager.autodetect = False
