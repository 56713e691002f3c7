"""Files on a host: always whole, always with the owner and mode they are meant to have."""
import grp
import os
import pwd
import shutil
import stat


def ids(owner, group):
    """Numbers of a user and a group, by name."""
    return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid


def read(path):
    """The bytes of a file, or None when there is none."""
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path, data, uid=0, gid=0, mode=0o644):
    """Puts a file in place in one step: a reader sees the old one or the new one, a power cut leaves one of them."""
    temporary = path + ".softmap-new"
    remove(temporary)
    # Made unreadable first: a key must not be open to others for even a moment.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.fchown(handle, uid, gid)
        os.fchmod(handle, mode)
        with os.fdopen(handle, "wb", closefd=False) as out:
            out.write(data)
        os.fsync(handle)
    except BaseException as error:
        remove(temporary)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path  # a full disk does not say where
        raise
    finally:
        os.close(handle)
    os.rename(temporary, path)
    sync_dir(os.path.dirname(path))


def write_tree(root, contents):
    """
    A new folder with files, path -> bytes, all of it on the disk at the end. Nobody reads it before. Everything is written first and made sure of
    then: the disk, which has it all from the first wait on, is waited for once and not for each file.
    """
    make_dir(root)
    for path in sorted(contents):
        target = os.path.join(root, path)
        make_dir(os.path.dirname(target))
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as out:
            os.fchmod(handle, 0o644)
            out.write(contents[path])
    for folder, _, names in os.walk(root):
        for name in names:
            sync(os.path.join(folder, name))
        sync_dir(folder)


def sync(path, flags=0):
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_dir(path):
    sync(path, os.O_DIRECTORY)


def remove(path):
    """Removes a file or a link when it is there. True when it was."""
    try:
        os.unlink(path)
        return True
    except FileNotFoundError:
        return False


def remove_tree(path):
    """Removes a directory and all in it, or a file or link; nothing when nothing is there."""
    if os.path.islink(path) or not os.path.isdir(path):
        return remove(path)
    shutil.rmtree(path)
    return True


def link(target, path):
    """Points a symbolic link at something else in one step."""
    temporary = path + ".softmap-new"
    remove(temporary)
    os.symlink(target, temporary)
    os.rename(temporary, path)
    sync_dir(os.path.dirname(path))


def make_dir(path, uid=0, gid=0, mode=0o755):
    """A directory with this owner and mode, its parents root's and open to pass. True when something changed."""
    parent = os.path.dirname(path)
    if parent != path and not os.path.isdir(parent):
        make_dir(parent)
    made = False
    try:
        os.mkdir(path, 0o700)
        made = True
    except FileExistsError:
        pass
    # Opened without following a link: a service user owns some of these and could point them elsewhere.
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        now = os.fstat(handle)
        if (now.st_uid, now.st_gid) != (uid, gid):
            os.fchown(handle, uid, gid)
            made = True
        if stat.S_IMODE(now.st_mode) != mode:
            os.fchmod(handle, mode)
            made = True
    finally:
        os.close(handle)
    return made
