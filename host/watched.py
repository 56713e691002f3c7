"""Which files a service runs on: those it names, and everything below the folders that it names (with a slash at the end)."""


def watched(service, paths, kinds=("reloadOn", "restartOn")):
    """The paths among `paths` that a service watches, sorted."""
    names = [name for kind in kinds for name in service[kind]]
    exact, folders = set(names), tuple(name for name in names if name.endswith("/"))
    return sorted(path for path in paths if path in exact or (folders and path.startswith(folders)))
