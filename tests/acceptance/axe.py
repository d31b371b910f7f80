"""How axe is asked what is wrong with a page: the expressions, for either kind of Playwright."""

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]

SCRIPT: str = AXE_SCRIPT
"""Half a megabyte that a page needs once."""

IS_THERE = "() => typeof axe === 'object'"

VIOLATIONS = """async () => {
  const found = await axe.run({ resultTypes: ['violations'] });
  return found.violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.html}`));
}"""
"""Answers each node that violates a rule; what passes is not written out."""
