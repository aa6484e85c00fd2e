package server
import ("testing";"fmt";"os";"strings";"time";"google.golang.org/protobuf/proto")
func TestZZ(t *testing.T){
 p:=point(12345,"decision","would_reject","api","orders-service","operation","GET /v2/customers/{customerId}/orders/{orderId}","family","validation","code","additional-property","threat","API3-01")
 p.StartTimeUnixNano, p.TimeUnixNano = uint64(time.Now().UnixNano()), uint64(time.Now().UnixNano())
 fmt.Println("point", proto.Size(p))
 r:=release(t,"orders","p"); g:=newGateway(t,r)
 cpu:=func() string { b,_:=os.ReadFile(fmt.Sprintf("/proc/%d/stat",g.envoy.PID())); f:=strings.Fields(string(b)); return f[13]+" "+f[14] }
 a:=cpu(); time.Sleep(30*time.Second); fmt.Println("30 s of pushes, ticks utime stime:",a,"->",cpu())
}
