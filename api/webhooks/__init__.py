"""Apps told by webhook, after Standard Webhooks: they subscribe with a key, and hear of stations and of alerts.

messages: what a subscriber is told, pure; backlogs: who has what yet to hear; deliveries: the threads that tell. How
apps subscribe is in `api/routes/subscriptions`; what was told and what is owed, in `gateway/store/subscriptions`.
"""
