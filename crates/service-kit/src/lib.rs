//! What the image and event services share: the HTTP edge, rate limiting and event delivery.
