"""Run a command, and end it when the process that asked for it is gone.

    python -I -S keeper.py PARENT COMMAND [ARGUMENT...]

PARENT is the number of that process. Standard input is a pipe whose other end it holds: the end of
the pipe is the sign. A child that it forked may hold the pipe as well, so another parent is a sign,
too. Should the keeper itself be killed, the kernel ends the command. SIGTERM is handed on.
"""

import ctypes
import os
import select
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
LOOK_AGAIN_S = 1.0


def become(command: list[str], keeper: int) -> None:
    """Turn this forked child into the command, which ends with its keeper."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    try:
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]} cannot be run: {error.strerror}.\n".encode())
    os._exit(127)


def watch(parent: int, child: int, is_ours: threading.Lock) -> None:
    """Wait until the parent is gone, then end the child while its number is still its own."""
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], LOOK_AGAIN_S)
        if readable and not os.read(0, 1):
            break
    with is_ours:
        os.kill(child, signal.SIGKILL)


def main(parent: int, command: list[str]) -> int:
    """Run the command; return its exit status, as a shell would."""
    keeper = os.getpid()
    child = os.fork()
    if child == 0:
        become(command, keeper)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
    is_ours = threading.Lock()
    threading.Thread(target=watch, args=(parent, child, is_ours), daemon=True).start()
    ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert ended is not None, "Waiting for a child gives its end."
    # From here on its number may be another's: nobody may send a signal to it.
    is_ours.acquire()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.waitpid(child, 0)
    is_exit = ended.si_code == os.CLD_EXITED
    return ended.si_status if is_exit else 128 + ended.si_status


if __name__ == "__main__":
    status = main(int(sys.argv[1]), sys.argv[2:])
    # Not sys.exit: the watching thread is still at work.
    os._exit(status)
