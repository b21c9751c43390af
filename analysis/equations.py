"""The equations of the catalog, which are text, as LaTeX.

The program writes equations as people type them: `z_{l+1} = sqrt(c/n) W_l phi(z_l) + sigma_b b_l`. `latex` reads that: names of Greek letters and
functions, sub- and superscripts without braces (`V_ab`, `n^-1/2`), roots, hats (`u^`), dots as products, and words between the formulas.
"""

import re

# Alphabets are texts, to be read.
GREEK = frozenset(
    re.findall(
        r"\w+",
        """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega""",
    )
)
FUNCTIONS = frozenset(re.findall(r"\w+", "log exp sin cos tan cosh sinh tanh arccos max min det ln"))
UPRIGHT = frozenset(
    re.findall(
        r"\w+",
        """
    Var Cov KL FI tr diag grad argmax argmin softmax relu asin atanh sign corr erf GP LN logdet sigmoid Beta chi2 Exp NTK OBABO""",
    )
)
LARGE = {"sum": r"\sum", "prod": r"\prod", "int": r"\int"}
# Words of two letters and one that are no products of letters.
SHORT = frozenset(re.findall(r"\w+", "a an as at be by if in is it no of on or so to up we"))
SYMBOLS = {
    "!=": r"\ne", "<=": r"\le", ">=": r"\ge", "->": r"\to", "+=": r"\mathrel{+}=", "+-": r"\pm", "±": r"\pm", "~": r"\sim", "...": r"\ldots",
    "..": r"\ldots", "…": r"\ldots", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "*": r"\ast", "<": "<", ">": ">",
}  # fmt: skip
TOKEN = re.compile(
    r"(?P<page>\bdocs/[\w./-]+|\(?arXiv:[\w./-]+\)?|\"\w+\"|[a-z]-th\b|[A-Za-z]{3,}'s\b|[a-z]{3,}\.[a-z]{2,}\b|inverse gamma\b"
    r"|[A-Za-z]{3,}(?:-[A-Za-z]{2,})+)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]*\.md))"
    r"|(?P<word>chi2(?=_)|c_plus|c_minus|(?!NTK_)[A-Za-z]{3,}(?:_[A-Za-z]{3,}(?![A-Za-z]))+|[A-Za-z]+)"
    r"|(?P<symbol>!=|<=|>=|->|\+=|\+-(?=\d)|\.\.\.|\.\.|\S)"
    r"|(?P<space>\s+)"
)
# The exponent of x^1/2 and n^-1/2 is a half; that of x^2/2 is two.
HALF = re.compile(r"-?1/2(?![\d\w])")
EXPONENT = re.compile(r"[+-]?(?:\d+[a-z]?(?![A-Za-z])|\d+|[A-Za-z]+)")


def latex(equation: str) -> list[str]:
    """The parts of an equation, which semicolons divide, in LaTeX without dollars."""
    parts = re.split(r";\s+", equation)
    return [Reader(part).read() for part in parts if part]


class Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self.out: list[str] = []
        self.words: list[str] = []

    def read(self) -> str:
        self.sequence("")
        return self.result()

    def result(self) -> str:
        self.flush()
        return " ".join(self.out)

    def flush(self) -> None:
        if self.words:
            self.out.append(r"\text{ " + " ".join(self.words) + " }")
            self.words = []

    def add(self, piece: str) -> None:
        self.flush()
        self.out.append(piece)

    def sequence(self, end: str) -> None:
        """Up to the bracket that closes this sequence, which is left where it is."""
        while self.place < len(self.text) and self.text[self.place] != (end or "\0"):
            self.atom()

    def inner(self, close: str) -> str:
        """What stands before the closing bracket, which is read too."""
        reader = Reader(self.text)
        reader.place = self.place
        reader.sequence(close)
        self.place = reader.place + 1
        return reader.result()

    def atom(self) -> None:
        if self.text.startswith(" (x) ", self.place):
            self.place += 5
            self.add(r"\otimes")
            return
        match = TOKEN.match(self.text, self.place)
        assert match
        start, self.place = self.place, match.end()
        piece = match[0]
        if match["space"]:
            return
        if match["page"]:
            self.words.append(piece)
            return
        if match["word"]:
            self.word(piece, start)
        elif match["number"]:
            self.add(piece + self.scripts())
        elif piece == "'":
            self.add("'")
        elif piece in "([":
            close = ")" if piece == "(" else "]"
            inside = self.inner(close)
            self.add(piece + inside + close + self.scripts())
        elif piece == "{":
            inside = self.inner("}")
            self.add(r"\{" + inside + r"\}" + self.scripts())
        elif piece == ".":
            sentence = self.place >= len(self.text)
            self.add("." if sentence else r"\cdot")
        elif piece in ",:" and self.words:
            self.words[-1] += piece
        elif piece == "|":
            self.add(r"\vert " + self.scripts())
        else:
            self.add(SYMBOLS.get(piece, piece) + (self.scripts() if piece in ")]" else ""))

    def word(self, word: str, start: int) -> None:
        after = self.text[self.place : self.place + 1]
        if word == "sqrt" and after == "(":
            self.place += 1
            self.add(r"\sqrt{" + self.inner(")") + "}" + self.scripts())
            return
        if word in LARGE:
            self.add(LARGE[word] + self.scripts())
            return
        if self.is_prose(word, start):
            tail = self.scripts() if after and after in "_^" else ""
            plain = word.replace("_", " ")
            if tail:
                self.add(rf"\text{{{plain}}}{tail}")
            else:
                self.words.append(plain)
            return
        self.add(self.name(word) + self.scripts())

    def is_prose(self, word: str, start: int) -> bool:
        if word == "gamma" and start == 0 and re.match(":| of", self.text[self.place :]):
            return True
        if word in GREEK or word in FUNCTIONS or word in UPRIGHT or word in ("infinity", "c_plus", "c_minus"):
            return False
        if word in SHORT:
            # `a` is an article before a word, else a variable.
            follows = re.match(r" ([A-Za-z]{2,})", self.text[self.place :])
            alone = start == 0 or self.text[start - 1] in " ("
            return alone and (len(word) > 1 or bool(follows and follows[1] not in GREEK | FUNCTIONS and len(follows[1]) > 2 and start > 0))
        return len(word) > 2 and not (word[0] == "d" and word[1:] in GREEK)

    def name(self, word: str) -> str:
        if word == "infinity":
            return r"\infty"
        if word in ("c_plus", "c_minus"):
            return "c_{+}" if word == "c_plus" else "c_{-}"
        if word in GREEK or word in FUNCTIONS:
            return "\\" + word
        if word == "chi2":
            return r"\chi^2"
        if word in UPRIGHT:
            return rf"\mathrm{{{word}}}"
        if len(word) == 2 and word[0] == "d":
            return rf"\mathrm{{d}}{word[1]}"
        return word if len(word) == 1 else " ".join(word)

    def scripts(self) -> str:
        """Primes, a hat, sub- and superscripts that follow at once."""
        result = ""
        if (digits := re.match(r"\d+(?![\w.])", self.text[self.place :])) and self.text[self.place - 1].isalpha():
            self.place += digits.end()
            result = f"_{{{digits[0]}}}"
        while self.place < len(self.text):
            sign, rest = self.text[self.place], self.text[self.place + 1 :]
            if sign == "'":
                primes = re.match("'+", self.text[self.place :])
                assert primes
                self.place += primes.end()
                result += "^{" + r"\prime" * primes.end()
                if self.text[self.place : self.place + 1] == "^":
                    self.place += 1
                    result += " " + self.exponent()
                result += "}"
            elif sign == "*" and not re.match(r"\s*\w", rest) and self.place > 0 and self.text[self.place - 1] != " ":
                result += "^{*}"
                self.place += 1
            elif sign == "_" and rest:
                self.place += 1
                result += "_{" + self.script(r"\*+[A-Za-z]?|[A-Za-z0-9]+\*?(?:,[a-z](?![\w]))?") + "}"
            elif sign == "^" and re.match(r"[\s:._),]|$", rest):
                self.place += 1
                result = r"\hat{\phantom{u}}" + result
            elif sign == "^" and rest:
                self.place += 1
                result += "^{" + self.exponent() + "}"
            else:
                break
        return result

    def script(self, plain: str) -> str:
        if self.text[self.place] == "{":
            self.place += 1
            return self.inner("}")
        if self.text[self.place] == "(":
            self.place += 1
            return self.inner(")")
        match = re.match(plain, self.text[self.place :])
        if not match:
            return ""
        self.place += match.end()
        word = match[0]
        return "\\" + word if word in GREEK else rf"\text{{{word}}}" if len(word) > 2 and word.isalpha() and word.islower() else word

    def exponent(self) -> str:
        rest = self.text[self.place :]
        if rest.startswith(("+ ", "- ")):
            self.place += 1
            return rest[0]
        if half := HALF.match(rest):
            self.place += half.end()
            return half[0]
        sign = ""
        if rest.startswith(("-", "+")) and rest[1:2] not in (" ", ""):
            sign, self.place = rest[0], self.place + 1
        if self.text[self.place] in "({":
            bracket = self.text[self.place]
            self.place += 1
            inside = self.inner(")" if bracket == "(" else "}")
            return sign + (f"({inside})" if bracket == "(" and sign else inside)
        if self.text[self.place] == "*":
            self.place += 1
            return sign + "*"
        match = EXPONENT.match(self.text[self.place :])
        if not match:
            return sign
        self.place += match.end()
        word = match[0]
        if word == "T":
            return sign + r"\top"
        shown = "\\" + word if word in GREEK else rf"\text{{{word}}}" if len(word) > 2 and word.isalpha() else word
        return sign + shown + (self.scripts() if word.isalpha() else "")
