package payment

import "errors"

// ErrNotFound says that a store holds no such sale, key or request id.
var ErrNotFound = errors.New("not found")
