"""Rules of operations, by family; importing this package registers them."""

from runtime.backends.native.lower.rules import arrays as arrays
from runtime.backends.native.lower.rules import branches as branches
from runtime.backends.native.lower.rules import calls as calls
from runtime.backends.native.lower.rules import convolution as convolution
from runtime.backends.native.lower.rules import diagonals as diagonals
from runtime.backends.native.lower.rules import effects as effects
from runtime.backends.native.lower.rules import elementwise as elementwise
from runtime.backends.native.lower.rules import index_vectors as index_vectors
from runtime.backends.native.lower.rules import indexing as indexing
from runtime.backends.native.lower.rules import islands as islands
from runtime.backends.native.lower.rules import list_parts as list_parts
from runtime.backends.native.lower.rules import lists as lists
from runtime.backends.native.lower.rules import loops as loops
from runtime.backends.native.lower.rules import pooling as pooling
from runtime.backends.native.lower.rules import products as products
from runtime.backends.native.lower.rules import random as random
from runtime.backends.native.lower.rules import records as records
from runtime.backends.native.lower.rules import reductions as reductions
from runtime.backends.native.lower.rules import repeating as repeating
from runtime.backends.native.lower.rules import rowwise as rowwise
from runtime.backends.native.lower.rules import scans as scans
from runtime.backends.native.lower.rules import sorting as sorting
