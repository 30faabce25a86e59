"""The dialogue step of MAVAGEN (§3.1): whom the user wants to see, and what is answered.

`scripted` needs no model; `chat_model` and `endpoint` ask one. All of them read the same avatar request, and speak with
the same history.
"""
