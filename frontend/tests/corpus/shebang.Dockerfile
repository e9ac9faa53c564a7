#!/usr/bin/env docker
# syntax=team/front:2 x
from a:1 as one
from b:1 as two
copy --from=one x y
from c:1
