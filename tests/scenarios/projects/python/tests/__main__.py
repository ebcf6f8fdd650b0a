"""Runs the tests and writes junit.xml: python3 -m tests"""
import sys
import time
import unittest
from xml.etree import ElementTree


class Result(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.suite = ElementTree.Element("testsuite", name="unittest")

    def startTest(self, test):
        super().startTest(test)
        self.began = time.perf_counter()
        class_name, _, name = test.id().rpartition(".")
        self.case = ElementTree.SubElement(self.suite, "testcase", classname=class_name, name=name)

    def stopTest(self, test):
        super().stopTest(test)
        self.case.set("time", f"{time.perf_counter() - self.began:.6f}")

    def bad(self, kind, test, error):
        problem = ElementTree.SubElement(self.case, kind, type=error[0].__name__, message=str(error[1]))
        problem.text = self._exc_info_to_string(error, test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.bad("failure", test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self.bad("error", test, error)


outcome = unittest.TextTestRunner(resultclass=Result).run(unittest.defaultTestLoader.discover("tests"))
ElementTree.ElementTree(outcome.suite).write("junit.xml", encoding="utf-8", xml_declaration=True)
sys.exit(not outcome.wasSuccessful())
