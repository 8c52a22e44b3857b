package tracer

import "golang.org/x/sys/unix"

func setFirstArgument(regs *unix.PtraceRegs, value uint64) { regs.Regs[0] = value }
func setResult(regs *unix.PtraceRegs, value uint64)        { regs.Regs[0] = value }
