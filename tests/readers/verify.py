"""Run with the readers' own Python: {"secret", "body", "headers"} on stdin → what `standardwebhooks` says of it."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

given = json.load(sys.stdin)
try:
    Webhook(given["secret"]).verify(given["body"], given["headers"])
    sys.stdout.write("right")
except WebhookVerificationError as error:
    sys.stdout.write(f"wrong: {error}")
