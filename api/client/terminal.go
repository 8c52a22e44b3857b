package client

import "time"

// Terminal is the state of the whole terminal.
type Terminal struct {
	Code            string       `json:"code" doc:"The terminal's code, unique in the merchant."`
	Version         string       `json:"version" doc:"Of the program."`
	StartedAt       time.Time    `json:"started_at" doc:"UTC."`
	LastEventID     string       `json:"last_event_id" doc:"Follow the events from here to see every change after this state."`
	Live            *Sale        `json:"live,omitempty" doc:"The sale that occupies the terminal, if there is one."`
	Adopted         bool         `json:"adopted" doc:"False where the database was restored, or is another machine's: then sales, codes, cancels and refunds are refused with not_adopted, and old attempts only asked about."`
	Unresolved      int          `json:"unresolved" doc:"Sales whose outcome is still being found out."`
	Scanners        []Scanner    `json:"scanners" nullable:"false"`
	Gateways        []Gateway    `json:"gateways" nullable:"false"`
	LastRefusedScan *RefusedScan `json:"last_refused_scan,omitempty"`
	RefusedScans    int64        `json:"refused_scans" doc:"Since the start."`
	Unauthenticated uint64       `json:"unauthenticated" doc:"Requests without a right token since the start."`
	DiskFree        int64        `json:"disk_free" doc:"Bytes, where the database is."`
}

// Scanner is the state of one configured scanner.
type Scanner struct {
	Device   string          `json:"device" doc:"Stable name, such as serial:/dev/ttyACM0."`
	Name     string          `json:"name" doc:"What people call it."`
	State    string          `json:"state" enum:"stopped,ready,missing,denied,busy,failed"`
	Detail   string          `json:"detail,omitempty" doc:"Why it is not ready, and what to do."`
	Since    time.Time       `json:"since,omitzero" doc:"When the state was entered, UTC."`
	Counters ScannerCounters `json:"counters"`
}

// ScannerCounters count since the start.
type ScannerCounters struct {
	Bytes      uint64 `json:"bytes" doc:"Grows without scans when the line settings are wrong."`
	Scans      uint64 `json:"scans"`
	Doubled    uint64 `json:"doubled" doc:"Read twice at once; counted once."`
	Empty      uint64 `json:"empty"`
	Oversize   uint64 `json:"oversize"`
	Noise      uint64 `json:"noise"`
	Incomplete uint64 `json:"incomplete"`
	Reconnects uint64 `json:"reconnects"`
}

// Gateway is what is known of one payment gateway.
type Gateway struct {
	Name          string    `json:"name"`
	State         string    `json:"state" enum:"unproven,up,down,misconfigured" doc:"unproven: no answer since the start."`
	Since         time.Time `json:"since,omitzero" doc:"When the state was entered, UTC."`
	LastAnswer    time.Time `json:"last_answer,omitzero" doc:"When the last verified answer came, UTC; absent: never."`
	LastReason    *Reason   `json:"last_reason,omitempty" doc:"Why the last call brought no answer, or was refused."`
	ClockOffsetMS int64     `json:"clock_offset_ms" doc:"The gateway's clock minus this machine's, in milliseconds."`
}

// RefusedScan is something scanned that no sale could use.
type RefusedScan struct {
	At     time.Time `json:"at" doc:"UTC."`
	Device string    `json:"device"`
	Kind   string    `json:"kind" doc:"What was scanned, or why the sale could not use it."`
	Mask   string    `json:"mask,omitempty" doc:"Its first two and last four characters."`
	Sale   string    `json:"sale,omitempty" doc:"The live sale at that time."`
	Reason *Reason   `json:"reason,omitempty" doc:"Where it did not arrive whole: what to say to cashier and customer."`
}

// Health is the answer of /healthz and /readyz.
type Health struct {
	Status string `json:"status" enum:"ok"`
}
