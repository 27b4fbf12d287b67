//! The front door: listen, identify, authenticate, decode, authorize, call, encode, record.
