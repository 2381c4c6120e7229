"""What a command that judges tells a CI system: a JUnit file, annotations, a summary (docs/ci.md).

A command wraps its work in `judging.judged` and notes a `cases.Case` for each thing it looks at; when the
block ends, however it ends, all that is wished is written. A failure for which no case was noted, an
interruption and a timeout become a case of their own: a report never says that all was well when it was not.

    cases        what was looked at, and what came of it (pure)
    junit        cases as the XML that GitHub's, GitLab's and Jenkins' readers take (pure)
    annotations  the words that each CI system reads in a job's output, and how foreign text is kept from
                 being taken for such words (pure)
    summary      cases as a Markdown table (pure)
    judging      gathers cases, and writes: the only part that touches files
    after_run    the end of `cluster run`: what it is told by then goes into a report, and into the archive

Nothing here is imported unless a report is wished or a CI system's variable is set.
"""
