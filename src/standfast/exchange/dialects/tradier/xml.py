"""What a client gets that does not ask for JSON: XML, as Tradier answers by default (brokers/README §2.1)."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

JSON = "application/json"
XML = "application/xml"


def in_the_form_asked(routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
    """The same routes, whose JSON becomes XML for who does not accept JSON by name."""
    return [web.route(each.method, each.path, _translating(each.handler)) for each in routes]


def _translating(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        reply = await handler(request)
        wants_json = JSON in request.headers.get(hdrs.ACCEPT, "")
        if wants_json or not isinstance(reply, web.Response) or reply.content_type != JSON:
            return reply
        assert isinstance(reply.body, bytes)
        text = as_xml(msgspec.json.decode(reply.body))
        headers = {name: value for name, value in reply.headers.items() if name.startswith("X-Ratelimit")}
        return web.Response(status=reply.status, text=text, content_type=XML, headers=headers)

    return handle


def as_xml(document: object) -> str:
    """One element for each key, one for each row of a list. An empty list, `"null"`, is an empty element."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_elements(document))


def _elements(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            for each in inner if isinstance(inner, list) else [inner]:
                yield f"<{name}>{''.join(_elements(each))}</{name}>"
    elif value is not None and value != "null":
        yield escape(str(value).lower() if isinstance(value, bool) else str(value))
