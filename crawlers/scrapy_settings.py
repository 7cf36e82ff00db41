"""Settings that `scrapy` itself reads (scrapy.cfg); everything else comes from the add-on."""

SPIDER_MODULES = ["crawlers.spiders"]
ADDONS = {"crawlers.politeness.Politeness": 0}
