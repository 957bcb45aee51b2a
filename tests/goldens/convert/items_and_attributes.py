"""Reading and writing items and attributes."""


def update(self, x, i, k):
    self.count += 1
    self.last = x[i, 1:]
    x[i] = 0.0
    x[i][k] += self.last[0]
    del self.cache[k]
    first, self.rest = x[0], x[1:]
    return first


# ---------------------------------------- becomes ----------------------------------------


def update(self, x, i, k):
    ag__.aug_attr(self, 'count', '+=', 1)
    ag__.set_attr(self, 'last', ag__.get_item(x, (i, slice(1, None))))
    ag__.set_item(x, i, 0.0)
    ag__.aug_item(x, i, k, '+=', ag__.get_item(self.last, 0))
    ag__.del_item(self.cache, k)
    first, item = ag__.get_item(x, 0), ag__.get_item(x, slice(1, None))
    ag__.set_attr(self, 'rest', item)
    return first
