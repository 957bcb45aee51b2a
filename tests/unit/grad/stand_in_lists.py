from runtime.ops.registry import Op, OPS, load_all
from runtime.typesys.spec import *
load_all()
if "list_new" not in OPS:
    class ListNew(Op):
        def infer(self,*,element): return ListType(element)
        kernel=staticmethod(lambda *,element: [])
        vjp = lambda op, dy, y, **_: ()
    class ListAppend(Op):
        def infer(self,l,x): return l
        kernel=staticmethod(lambda l,x: [*l,x])
        @staticmethod
        def vjp(op,dy,y,l,x):
            rest,v=op.list_pop(dy,-1)
            return rest,v
    class ListPop(Op):
        outputs=2
        def infer(self,l,i): return l,l.element
        kernel=staticmethod(lambda l,i: ([*l[:-1]],l[-1]))
        @staticmethod
        def vjp(op,dy,y,l,i):
            return op.list_append(dy[0],dy[1]),None
    class ListZerosLike(Op):
        def infer(self,l): 
            from runtime.grad.regions import cotangent_type
            return cotangent_type(l)
        @staticmethod
        def kernel(l): 
            import numpy as np
            z=lambda e: [z(a) for a in e] if isinstance(e,list) else np.zeros_like(e)[()]
            return z(l)
        vjp=lambda op,dy,y,l:(None,)
    class ListAdd(Op):
        def infer(self,a,b): return a
        @staticmethod
        def kernel(a,b): 
            ad=lambda a,b: [ad(x,y) for x,y in zip(a,b)] if isinstance(a,list) else a+b
            return ad(a,b)
        vjp=lambda op,dy,y,a,b:(dy,dy)
