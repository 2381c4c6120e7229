"""Schemas that need no file, in the form of files: docs/generate.md shows them."""

from typing import Any

BUILT_IN: dict[str, dict[str, Any]] = {
    "orders": {
        "key": "customer",
        "fields": {
            "order": {"type": "sequence", "start": 1000},
            "customer": {"type": "int", "distribution": "exponential", "mean": 40, "max": 999},
            "at": "timestamp",
            "status": {
                "type": "choice",
                "values": ["placed", "paid", "shipped", "returned"],
                "weights": [50, 30, 18, 2],
            },
            "items": {
                "type": "list",
                "min": 1,
                "max": 4,
                "of": {
                    "type": "object",
                    "fields": {
                        "product": "word",
                        "quantity": {"type": "int", "min": 1, "max": 5},
                        "price": {
                            "type": "float",
                            "distribution": "normal",
                            "mean": 30,
                            "deviation": 12,
                            "min": 1,
                        },
                    },
                },
            },
            "note": {"type": "text", "min": 5, "max": 40, "null": 0.8},
        },
    },
    "clicks": {
        "key": "session",
        "fields": {
            "session": {"type": "int", "distribution": "exponential", "mean": 200, "max": 99_999},
            "at": "timestamp",
            "page": {
                "type": "choice",
                "values": ["/", "/search", "/product", "/cart", "/checkout"],
                "weights": [40, 25, 20, 10, 5],
            },
            "referrer": {"type": "word", "null": 0.6},
            "milliseconds": {"type": "int", "distribution": "exponential", "mean": 800, "max": 60_000},
            "mobile": {"type": "bool", "probability": 0.7},
        },
    },
    "sensors": {
        "key": "sensor",
        "fields": {
            "sensor": {"type": "int", "min": 1, "max": 50},
            "at": {"type": "timestamp", "format": "ms"},
            "temperature": {
                "type": "float",
                "distribution": "normal",
                "mean": 21,
                "deviation": 4,
                "digits": 1,
            },
            "humidity": {"type": "float", "min": 20, "max": 90, "digits": 1},
            "battery": {"type": "int", "min": 0, "max": 100, "null": 0.05},
        },
    },
}
