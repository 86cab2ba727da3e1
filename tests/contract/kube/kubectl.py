"""kubectl on both servers at once: the same commands, and what must be the same about them."""

import os
import pathlib
import re
import shlex
import subprocess

WITHIN_S = 60
WORDS = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r'(resourceVersion"?:?\s*"?)\d+', r"\1RV"),
    (r"(Resource Version:\s+)\d+", r"\1RV"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "TIME"),
    (r"https?://127\.0\.0\.1:\d+", "URL"),
    (r"\b10\.96\.\d+\.\d+\b", "ADDRESS"),
    (r"/(LIVE|MERGED)-\d+", r"/\1"),
    (r"\b(\d+[dhms]){1,2}( |$)", r"AGE\2"),
    (r"<unknown>", "AGE"),
    (r"\b3\d{4}\b", "PORT"),
    (r"eyJ[\w.-]+", "TOKEN"),
    (r"(\S+-)[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1GENERATED"),
]


class Kubectl:
    """kubectl against one server, in one namespace."""

    def __init__(self, program, client, folder, namespace):
        self.client = client
        self.folder = folder
        self.namespace = namespace
        cache = folder / f"cache-{client.name}"
        self._base = [
            *(str(program), f"--kubeconfig={client.kubeconfig}", f"--cache-dir={cache}"),
            f"--namespace={namespace}",
        ]
        self._environment = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}

    def run(self, line, stdin=None, **environment):
        """Run a command line; return exit code, output and errors as they must be the same."""
        done = subprocess.run(
            [*self._base, *shlex.split(line)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=WITHIN_S,
            env={**self._environment, **environment},
            check=False,
        )
        return done.returncode, self.normal(done.stdout), self.normal(done.stderr)

    def start(self, line):
        """Start a command that goes on."""
        return subprocess.Popen(
            [*self._base, *shlex.split(line)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self._environment,
        )

    def normal(self, text):
        """Return a text without what no two servers have in common."""
        text = text.replace(self.namespace, "NAMESPACE").replace(str(self.folder), "FOLDER")
        for pattern, word in WORDS:
            text = re.sub(pattern, word, text, flags=re.MULTILINE)
        # The widths of columns depend on what was replaced.
        lines = [re.sub(r" {2,}", "  ", line).rstrip() for line in text.splitlines()]
        return "\n".join(line for line in lines if not is_noise(line))


def is_noise(line):
    """Say whether a line tells of caches and of how long things took."""
    return bool(re.match(r"[EWI]\d{4} ", line))


OBJECTS = pathlib.Path(__file__).parent / "objects"
