//! Records what the image services did, in SQL.
