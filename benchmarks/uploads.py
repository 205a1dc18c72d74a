"""Measures how late running answers are while twenty visitors send ten megabytes of files each:
`python -m benchmarks.uploads`."""

import argparse
import asyncio
import io
import os
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from PIL import Image

from benchmarks.claude import Claude
from benchmarks.contestants import ALL, EVERYWHERE, UNLIMITED
from benchmarks.hall import Crowd, Hall
from benchmarks.server import Server

# on this address the server counts as public; visitors are other addresses of the same machine
HOST = "127.0.0.2"
VISITORS = [f"127.0.0.{number}" for number in range(21, 41)]
SIZE = 5_000_000
OCTETS = {"content-type": "application/octet-stream"}
# answers at once, and the words of each
TABS, WORDS, RATE = 8, 250, 50


def files() -> list[bytes]:
    """A photo and a text of five megabytes."""
    photo, noise = io.BytesIO(), Image.frombytes("RGB", (2_000, 1_500), os.urandom(9_000_000))
    noise.save(photo, "JPEG", quality=97)
    text = b"Rivers run to the sea. " * (SIZE // 23)
    return [photo.getvalue()[:SIZE], text]


async def send(url: str) -> list[int]:
    """How often each file was sent until the server took it."""
    prepared = [files() for _ in VISITORS]
    return await asyncio.gather(
        *(_visitor(url, *each) for each in zip(VISITORS, prepared, strict=True))
    )


async def _visitor(url: str, address: str, given: list[bytes]) -> int:
    transport, tries = httpx.AsyncHTTPTransport(local_address=address), 0
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=120) as client:
        await client.get("/")
        for number, data in enumerate(given):
            status = 0
            while status != httpx.codes.CREATED:
                tries += 1
                try:
                    answer = await client.post(f"files?name={number}", content=data, headers=OCTETS)
                except httpx.TransportError:
                    # an idle connection that the server has closed meanwhile, as a browser does
                    continue
                status = answer.status_code
                if status not in (201, 429, 503):
                    raise RuntimeError(answer.text)
                if status != httpx.codes.CREATED:
                    # as the page does
                    seconds = float(answer.headers["retry-after"])
                    await asyncio.sleep(seconds * random.uniform(0.5, 1))
    return tries


async def measure(server: Server, claude: Claude) -> None:
    hall = Hall(ALL[0], server, claude)
    await hall.warm()
    quiet = await hall.crowd(TABS, WORDS, RATE)
    print(f"before: p99 {1000 * quiet.p99:.0f} ms, median {1000 * quiet.p50:.0f} ms")
    command = ("-m", "benchmarks.uploads", "--to", server.url)
    sending = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE
    )
    loop = asyncio.get_running_loop()
    began, crowds = loop.time(), list[Crowd]()
    while sending.returncode is None:
        crowds.append(await hall.crowd(TABS, WORDS, RATE))
    output, _ = await sending.communicate()
    worst = max(crowd.p99 for crowd in crowds)
    print(f"during: p99 {1000 * worst:.0f} ms at worst of {len(crowds)} rounds of {TABS} answers")
    busy = max(crowd.others for crowd in crowds)
    print(f"Claude's own words were {1000 * claude.latest():.0f} ms late at most")
    print(f"other programs, the senders among them, kept {busy:.1f} processors busy")
    print(f"{output.decode().strip()} within {loop.time() - began:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uploads", description=__doc__)
    parser.add_argument("--to", default="", help="send the files to this address, and no more")
    if address := parser.parse_args().to:
        tries = asyncio.run(send(address))
        print(f"{2 * len(tries)} files were taken after {sum(tries)} tries")
        return
    with Claude.running() as claude, TemporaryDirectory(ignore_cleanup_errors=True) as name:
        environment = {
            **EVERYWHERE,
            **UNLIMITED,
            "NO_PROXY": f"127.0.0.1,{HOST}",
            "ANTHROPIC_BASE_URL": claude.url,
            "STREAMCHAT_DATA_DIR": str(Path(name) / "data"),
            "GRADIO_SERVER_PORT": "{port}",
        }
        log = Path(name) / "log"
        with Server(("app.py", "--host", HOST), log, host=HOST, **environment) as server:
            server.answers()
            asyncio.run(measure(server, claude))


if __name__ == "__main__":
    main()
