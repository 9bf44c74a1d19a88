"""The course's settings for nbgrader 0.9, which its commands read in this folder."""

from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_output
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute


class ExecuteToTheEnd(Execute):
    """Grades a submission whose kernel died: its cell and all after it count as errors.

    nbgrader's own gives the whole submission up.
    """

    died = None  # the notebook whose kernel died

    def preprocess_cell(self, cell, resources, index):
        if self.died is not self.nb:
            try:
                return super().preprocess_cell(cell, resources, index)
            except DeadKernelError:
                self.died = self.nb
        if cell.cell_type == "code":
            words = {"evalue": "the kernel died", "traceback": ["The kernel died."]}
            cell.outputs = [new_output("error", ename="DeadKernelError", **words)]
        return cell, resources


c = get_config()  # noqa: F821, nbgrader puts it there

c.CourseDirectory.course_id = "infogan"
c.Execute.timeout = 120  # seconds a cell; then it is stopped and the rest is graded
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = ".*Warning.*"  # no mistake; nbgrader would take a cell's points
steps = Autograde.autograde_preprocessors.default_args[0]
steps = [ExecuteToTheEnd if step is Execute else step for step in steps]
c.Autograde.autograde_preprocessors = steps
