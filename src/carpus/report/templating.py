"""The templates of the package's pages, which escape whatever comes from files."""

import jinja2


def template_environment() -> jinja2.Environment:
    """Finds the package's templates; a value that a template asks for and is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("carpus.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
