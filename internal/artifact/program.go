package artifact

// Program is the schema program: what judges JSON values.
type Program struct {
	Instructions []uint32
}

func (p *Program) sections() []section {
	return []section{list[uint32]{&p.Instructions}}
}

func (p *Program) check() bool { return true }

func (p *Program) hasRoot(r Ref) bool { return int(r) <= len(p.Instructions) }
