//! Takes pictures in: format, limits and orientation, checked before anything is decoded.
