# The real client: calls at the times that come over standard input, and a line for each when it is over.
import asyncio, json, sys, time

from openai import AsyncOpenAI


async def call(client, began, at, ordinal):
    await asyncio.sleep(max(0.0, began + at - time.monotonic()))
    start = time.monotonic()
    try:
        answer = await client.embeddings.create(model="text-embedding-3-small", input=[f"line {ordinal}"])
        good = len(answer.data) == 1
    except Exception:
        good = False
    print(json.dumps([start - began, time.monotonic() - began, good]), flush=True)


async def main():
    url, timeout = sys.argv[1], float(sys.argv[2])
    arrivals = json.load(sys.stdin)
    async with AsyncOpenAI(base_url=url, api_key="none", timeout=timeout) as client:
        began = time.monotonic()
        await asyncio.gather(*(call(client, began, at, ordinal) for ordinal, at in enumerate(arrivals)))


asyncio.run(main())
