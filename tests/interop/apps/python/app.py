"""A service of FastAPI that calls another with httpx. It knows nothing of tracing: what starts it brings that."""

import os
import socket

import fastapi
import httpx
import uvicorn

app = fastapi.FastAPI()


@app.get("/")
async def call():
    async with httpx.AsyncClient() as client:
        answer = await client.get(os.environ["CALLEE"])
    return fastapi.Response(answer.content, answer.status_code)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
