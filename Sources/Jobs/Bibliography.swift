import Foundation

/// A paper or a book that the catalog refers to.
package struct Work: Sendable, Equatable {
  /// Identifier of arXiv, such as `2206.02768` or `math-ph/0609050`; empty of what is not there.
  package let arXiv: String
  /// Words of a reference that name this work, where it is not on arXiv.
  package let marker: String
  /// In the order of the title page, given names first; empty where they are not known here.
  package let authors: [String]
  package let title: String
  package let year: Int
  /// Journal, volume and pages, or the publisher or conference alone.
  package let journal, volume, pages: String

  /// Of an identifier that the table does not have: nothing but the number is known.
  fileprivate init(arXiv: String) {
    (self.arXiv, marker, authors, title, year) = (arXiv, "", [], "", Self.year(of: arXiv))
    (journal, volume, pages) = ("", "", "")
  }

  fileprivate init(
    arXiv: String = "", marker: String = "", authors: String, title: String, year: Int, journal: String = "",
    volume: String = "", pages: String = ""
  ) {
    (self.arXiv, self.marker, self.title, self.year) = (arXiv, marker, title, year)
    self.authors = authors.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
    (self.journal, self.volume, self.pages) = (journal, volume, pages)
  }

  /// The first two digits of a number of arXiv are the year.
  fileprivate static func year(of arXiv: String) -> Int {
    let digits = arXiv.drop { !$0.isNumber }.prefix(2)
    return Int(digits).map { $0 > 90 ? 1900 + $0 : 2000 + $0 } ?? 0
  }

  /// Surname, year and first word of the title: `li2022neural`.
  package var key: String {
    guard let surname = authors.first?.split(separator: " ").last, !title.isEmpty else { return "arxiv:" + arXiv }
    let skipped: Set = ["a", "an", "the", "on", "of", "in", "from", "how", "is", "do", "to", "and", "for", "with"]
    let words = title.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    return Self.plain(surname) + String(year) + Self.plain(words.first { !skipped.contains($0) } ?? words[0])
  }

  private static func plain(_ text: some StringProtocol) -> String {
    text.decomposedStringWithCanonicalMapping.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }

  /// An entry of BibTeX, in UTF-8.
  package var bibTeX: String {
    var fields: [(String, String)] = []
    if !authors.isEmpty { fields.append(("author", authors.map(Self.name).joined(separator: " and "))) }
    if !title.isEmpty { fields.append(("title", "{" + Self.escaped(title) + "}")) }
    if !journal.isEmpty { fields.append((kind.journal, Self.escaped(journal))) }
    if !volume.isEmpty { fields.append(("volume", volume)) }
    if !pages.isEmpty { fields.append(("pages", pages)) }
    if year > 0 { fields.append(("year", String(year))) }
    if !arXiv.isEmpty {
      fields += [("eprint", arXiv), ("archiveprefix", "arXiv"), ("url", "https://arxiv.org/abs/" + arXiv)]
    }
    return Self.entry(kind.entry, key, fields)
  }

  /// What BibTeX calls the work, and where it came out.
  private var kind: (entry: String, journal: String) {
    if journal.isEmpty { return ("misc", "") }
    if journal.contains("Conference") { return ("inproceedings", "booktitle") }
    return pages.isEmpty ? ("book", "publisher") : ("article", "journal")
  }

  package static func entry(_ kind: String, _ key: String, _ fields: [(String, String)]) -> String {
    "@\(kind){\(key),\n" + fields.map { "  \($0) = {\($1)}" }.joined(separator: ",\n") + "\n}"
  }

  /// Surname first, so that particles such as `van` stay with it.
  private static func name(_ author: String) -> String {
    var given = author.split(separator: " ").map(String.init)
    var surname = [given.removeLast()]
    while let last = given.last, given.count > 1,
      ["van", "de", "den", "der", "le", "el", "von"].contains(last.lowercased())
    {
      surname.insert(given.removeLast(), at: 0)
    }
    return given.isEmpty ? surname[0] : surname.joined(separator: " ") + ", " + given.joined(separator: " ")
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { $0 += "&%#_$".contains($1) ? "\\\($1)" : String($1) }
  }
}

/// What is known of the works that the catalog refers to: one table.
package enum Bibliography {
  /// The works that a reference names, in its order and each once: those of arXiv by their number, whether the table has them or not, and
  /// those of the table by their marker.
  package static func works(in reference: String) -> [Work] {
    var found: [(place: String.Index, work: Work)] = []
    for match in reference.matches(of: /arXiv:((?:[a-z-]+\/\d{7})|(?:\d{4}\.\d{4,5}))/) {
      let number = String(match.1)
      found.append((match.range.lowerBound, all.first { $0.arXiv == number } ?? Work(arXiv: number)))
    }
    for work in all where !work.marker.isEmpty {
      if let range = reference.range(of: work.marker) { found.append((range.lowerBound, work)) }
    }
    return found.sorted { $0.place < $1.place }.map(\.work).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  package static let all: [Work] = onArXiv + inPrint

  /// A line a work: number, authors, title. The year is that of the number.
  private static let onArXiv: [Work] = lines(
    """
    math-ph/0609050 | Francesco Mezzadri | How to generate random matrices from the classical compact groups
    1203.5428 | Benedict Leimkuhler; Charles Matthews | Rational construction of stochastic numerical methods for molecular sampling
    1206.1901 | Radford M. Neal | MCMC using Hamiltonian dynamics
    1301.6064 | Simon Byrne; Mark Girolami | Geodesic Monte Carlo on Embedded Manifolds
    1312.6120 | Andrew M. Saxe; James L. McClelland; Surya Ganguli | Exact solutions to the nonlinear dynamics of learning in deep linear neural networks
    1502.03167 | Sergey Ioffe; Christian Szegedy | Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift
    1507.02502 | Juan Antonio Barceló; Anthony Carbery | On the magnitudes of compact sets in Euclidean spaces
    1510.01799 | Ian Goodfellow | Efficient Per-Example Gradient Computations
    1605.01559 | Alain Durmus; Éric Moulines | High-dimensional Bayesian inference via the Unadjusted Langevin Algorithm
    1602.07527 | Iain Murray | Differentiation of the Cholesky decomposition
    1606.05340 | Ben Poole; Subhaneil Lahiri; Maithra Raghu; Jascha Sohl-Dickstein; Surya Ganguli | Exponential expressivity in deep neural networks through transient chaos
    1606.08415 | Dan Hendrycks; Kevin Gimpel | Gaussian Error Linear Units (GELUs)
    1607.06450 | Jimmy Lei Ba; Jamie Ryan Kiros; Geoffrey E. Hinton | Layer Normalization
    1611.01232 | Samuel S. Schoenholz; Justin Gilmer; Surya Ganguli; Jascha Sohl-Dickstein | Deep Information Propagation
    1704.04289 | Stephan Mandt; Matthew D. Hoffman; David M. Blei | Stochastic Gradient Descent as Approximate Bayesian Inference
    1706.00476 | Po-Wei Wang; Wei-Cheng Chang; J. Zico Kolter | The Mixing method: low-rank coordinate descent for semidefinite programming with diagonal constraints
    1707.03663 | Xiang Cheng; Niladri S. Chatterji; Peter L. Bartlett; Michael I. Jordan | Underdamped Langevin MCMC: A non-asymptotic analysis
    1710.03667 | Madhu S. Advani; Andrew M. Saxe | High-dimensional dynamics of generalization error in neural networks
    1711.00165 | Jaehoon Lee; Yasaman Bahri; Roman Novak; Samuel S. Schoenholz; Jeffrey Pennington; Jascha Sohl-Dickstein | Deep Neural Networks as Gaussian Processes
    1711.04735 | Jeffrey Pennington; Samuel S. Schoenholz; Surya Ganguli | Resurrecting the sigmoid in deep learning through dynamical isometry: theory and practice
    1802.09979 | Jeffrey Pennington; Samuel S. Schoenholz; Surya Ganguli | The Emergence of Spectral Universality in Deep Networks
    1804.06561 | Song Mei; Andrea Montanari; Phan-Minh Nguyen | A Mean Field View of the Landscape of Two-Layers Neural Networks
    1806.07572 | Arthur Jacot; Franck Gabriel; Clément Hongler | Neural Tangent Kernel: Convergence and Generalization in Neural Networks
    1810.00004 | Sho Yaida | Fluctuation-dissipation relations for stochastic gradient descent
    1810.05148 | Roman Novak; Lechao Xiao; Jaehoon Lee; Yasaman Bahri; Greg Yang; Jiri Hron; Daniel A. Abolafia; Jeffrey Pennington; Jascha Sohl-Dickstein | Bayesian Deep Convolutional Networks with Many Channels are Gaussian Processes
    1902.06720 | Jaehoon Lee; Lechao Xiao; Samuel S. Schoenholz; Yasaman Bahri; Roman Novak; Jascha Sohl-Dickstein; Jeffrey Pennington | Wide Neural Networks of Any Depth Evolve as Linear Models Under Gradient Descent
    1902.08129 | Greg Yang; Jeffrey Pennington; Vinay Rao; Jascha Sohl-Dickstein; Samuel S. Schoenholz | A Mean Field Theory of Batch Normalization
    1903.08008 | Aki Vehtari; Andrew Gelman; Daniel Simpson; Bob Carpenter; Paul-Christian Bürkner | Rank-normalization, folding, and localization: An improved R-hat for assessing convergence of MCMC
    1908.02692 | Glenn Fung; Eric Bunch; Dan Dickinson | Approximating the convex hull via metric space magnitude
    1908.02729 | Judy Hoffman; Daniel A. Roberts; Sho Yaida | Robust Learning with Jacobian Regularization
    1909.05503 | Ruoqi Shen; Yin Tat Lee | The Randomized Midpoint Method for Log-Concave Sampling
    1909.11304 | Jiaoyang Huang; Horng-Tzer Yau | Dynamics of Deep Neural Networks and Neural Tangent Hierarchy
    1910.00019 | Sho Yaida | Non-Gaussian processes and neural networks at finite widths
    1910.03193 | Lu Lu; Pengzhan Jin; George Em Karniadakis | DeepONet: Learning nonlinear operators for identifying differential equations based on the universal approximation theorem of operators
    1910.07467 | Biao Zhang; Rico Sennrich | Root Mean Square Layer Normalization
    2002.04745 | Ruibin Xiong; Yunchang Yang; Di He; Kai Zheng; Shuxin Zheng; Chen Xing; Huishuai Zhang; Yanyan Lan; Liwei Wang; Tie-Yan Liu | On Layer Normalization in the Transformer Architecture
    2002.05202 | Noam Shazeer | GLU Variants Improve Transformer
    2002.08517 | Russell Tsuchida; Tim Pearce; Chris van der Heide; Fred Roosta; Marcus Gallagher | Avoiding Kernel Fixed Points: Computing with ELU and GELU Infinite Networks
    2003.07845 | Sheng Shen; Zhewei Yao; Amir Gholami; Michael W. Mahoney; Kurt Keutzer | PowerNorm: Rethinking Batch Normalization in Transformers
    2004.05867 | Wei Huang; Weitao Du; Richard Yi Da Xu | On the Neural Tangent Kernel of Deep Networks with Orthogonal Initialization
    2006.04740 | Mert Gürbüzbalaban; Umut Şimşekli; Lingjiong Zhu | The Heavy-Tail Phenomenon in SGD
    2006.14063 | Eric Bunch; Daniel Dickinson; Jeffery Kline; Glenn Fung | Practical applications of metric space magnitude and weighting vectors
    2010.04194 | Yin Tat Lee; Ruoqi Shen; Kevin Tian | Structured Logconcave Sampling with a Restricted Gaussian Oracle
    2010.11176 | Mufan Bill Li; Murat A. Erdogdu | Riemannian Langevin Algorithm for Solving Semidefinite Programs
    2011.14522 | Greg Yang; Edward J. Hu | Feature Learning in Infinite-Width Neural Networks
    2102.06229 | Mufan Bill Li; Maxime Gazeau | Higher Order Generalization Error for First Order Discretization of Langevin Diffusion
    2102.06701 | Yasaman Bahri; Ethan Dyer; Jared Kaplan; Jaehoon Lee; Utkarsh Sharma | Explaining Neural Scaling Laws
    2103.00065 | Jeremy M. Cohen; Simran Kaur; Yuanzhi Li; J. Zico Kolter; Ameet Talwalkar | Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability
    2106.04013 | Mufan Bill Li; Mihai Nica; Daniel M. Roy | The Future is Log-Gaussian: ResNets and Their Infinite-Depth-and-Width Limit at Initialization
    2106.10165 | Daniel A. Roberts; Sho Yaida; Boris Hanin | The Principles of Deep Learning Theory
    2107.01408 | Hyungi Lee; Eunggu Yun; Hongseok Yang; Juho Lee | Scale Mixtures of Neural Network Gaussian Processes
    2107.10125 | Sebastian W. Ober; Laurence Aitchison | A variational approximate posterior for the deep Wishart process
    2108.13097 | Adam X. Yang; Maxime Robeyns; Edward Milsom; Ben Anson; Nandi Schoots; Laurence Aitchison | A theory of representation learning gives a deep generalisation of kernel methods
    2110.06482 | Yifei Wang; Tolga Ergen; Mert Pilanci | Parallel Deep Neural Networks Have Zero Duality Gap
    2112.12662 | Sinho Chewi; Murat A. Erdogdu; Mufan Bill Li; Ruoqi Shen; Matthew Zhang | Analysis of Langevin Monte Carlo from Poincaré to Log-Sobolev
    2201.10469 | Atsushi Nitanda; Denny Wu; Taiji Suzuki | Convex Analysis of the Mean Field Langevin Dynamics
    2202.06386 | Yongxin Chen; Sinho Chewi; Adil Salim; Andre Wibisono | Improved analysis for a proximal algorithm for sampling
    2203.03466 | Greg Yang; Edward J. Hu; Igor Babuschkin; Szymon Sidor; Xiaodong Liu; David Farhi; Nick Ryder; Jakub Pachocki; Weizhu Chen; Jianfeng Gao | Tensor Programs V: Tuning Large Neural Networks via Zero-Shot Hyperparameter Transfer
    2205.09653 | Blake Bordelon; Cengiz Pehlevan | Self-Consistent Dynamical Field Theory of Kernel Evolution in Wide Neural Networks
    2206.02768 | Mufan Bill Li; Mihai Nica; Daniel M. Roy | The Neural Covariance SDE: Shaped Infinite Depth-and-Width Networks at Initialization
    2210.04909 | Sho Yaida | Meta-Principled Family of Hyperparameter Scaling Strategies
    2301.00900 | Gabriel Cardoso; Yazid Janati El Idrissi; Sylvain Le Corff; Eric Moulines; Jimmy Olsson | State and parameter learning with PaRIS particle Gibbs
    2301.13703 | Antonio Sclocchi; Mario Geiger; Matthieu Wyart | Dissecting the Effects of SGD Noise in Distinct Regimes of Deep Learning
    2302.00453 | Soufiane Hayou; Greg Yang | Width and Depth Limits Commute in Residual Networks
    2302.08049 | Matthew Zhang; Sinho Chewi; Mufan Bill Li; Krishnakumar Balasubramanian; Murat A. Erdogdu | Improved Discretization Analysis for Underdamped Langevin Monte Carlo
    2302.09712 | Cameron Jakub; Mihai Nica | Depth Degeneracy in Neural Networks: Vanishing Angles in Fully Connected ReLU Networks on Initialization
    2304.02034 | Emily Dinan; Sho Yaida; Susan Zhang | Effective Theory of Transformers at Initialization
    2305.05097 | Vishwaraj Doshi; Jie Hu; Do Young Eun | Self-Repellent Random Walks on General Graphs - Achieving Minimal Sampling Variance via Nonlinear Markov Chains
    2306.06626 | Neta Shaul; Ricky T. Q. Chen; Maximilian Nickel; Matt Le; Yaron Lipman | On Kinetic Optimal Probability Paths for Generative Models
    2306.17759 | Lorenzo Noci; Chuning Li; Mufan Bill Li; Bobby He; Thomas Hofmann; Chris Maddison; Daniel M. Roy | The Shaped Transformer: Attention Models in the Infinite Depth-and-Width Limit
    2309.16620 | Blake Bordelon; Lorenzo Noci; Mufan Bill Li; Boris Hanin; Cengiz Pehlevan | Depthwise Hyperparameter Transfer in Residual Networks: Dynamics and Scaling Limit
    2310.01769 | Nuoya Xiong; Lijun Ding; Simon S. Du | How Over-Parameterization Slows Down Gradient Descent in Matrix Sensing: The Curses of Symmetry and Initialization
    2310.02541 | Zhiwei Xu; Yutong Wang; Spencer Frei; Gal Vardi; Wei Hu | Benign Overfitting and Grokking in ReLU Networks for XOR Cluster Data
    2310.06110 | Tanishq Kumar; Blake Bordelon; Samuel J. Gershman; Cengiz Pehlevan | Grokking as the Transition from Lazy to Rich Training Dynamics
    2310.07765 | Hannah Day; Yonatan Kahn; Daniel A. Roberts | Feature Learning and Generalization in Deep Networks with Orthogonal Weights
    2310.16420 | Benjamin De Bruyne; Pierre Le Doussal; Satya N. Majumdar; Grégory Schehr | Linear statistics for Coulomb gases: higher order cumulants
    2310.17074 | Miao Lu; Beining Wu; Xiaodong Yang; Difan Zou | Benign Oscillation of Stochastic Gradient Descent with Large Learning Rates
    2311.14646 | James B. Simon; Dhruva Karkada; Nikhil Ghosh; Mikhail Belkin | More is Better in Modern Machine Learning: when Infinite Overparameterization is Optimal and Overfitting is Obligatory
    2312.14057 | Anthony Nouy; Bertrand Michel | Weighted least-squares approximation with determinantal point processes and generalized volume sampling
    2401.09665 | Jie Hu; Vishwaraj Doshi; Do Young Eun | Accelerating Distributed Stochastic Optimization via Self-Repellent Random Walks
    2402.07355 | Yunbum Kook; Matthew S. Zhang; Sinho Chewi; Murat A. Erdogdu; Mufan Bill Li | Sampling from the Mean-Field Stationary Distribution
    2407.01800 | Clare Lyle; Zeyu Zheng; Khimya Khetarpal; James Martens; Hado van Hasselt; Razvan Pascanu; Will Dabney | Normalization and effective learning rates in reinforcement learning
    2408.05807 | Giulio Biroli; Marc Mézard | Kernel Density Estimators in Large Dimensions
    2412.08424 | Alexander Tyurin | From Logistic Regression to the Perceptron Algorithm: Exploring Gradient Descent with Large Step Sizes
    2501.07741 | Reza Ghane; Anthony Bao; Danil Akhtiamov; Babak Hassibi | Concentration of Measure for Distributions Generated via Diffusion Models
    2506.15449 | Nicola Miele; Alessia Nota; Juan J. L. Velázquez | The Rayleigh-Boltzmann equation with shear deformations in the hyperbolic-dominated regime
    2508.11522 | Max Guillen; Philipp Misof; Jan E. Gerken | Finite-Width Neural Tangent Kernels from Feynman Diagrams
    2510.02730 | Nishanth Shetty; Madhava Prasath; Chandra Sekhar Seelamantula | Dale meets Langevin: A Multiplicative Denoising Diffusion Model
    """
  ) { Work(arXiv: $0[0], authors: $0[1], title: $0[2], year: Work.year(of: $0[0])) }

  /// A line a work: what names it in a reference, authors, title, journal (or publisher), volume, pages, year.
  private static let inPrint: [Work] = lines(
    """
    M. S. Bartlett (1933) | Maurice S. Bartlett | On the theory of statistical regression | Proceedings of the Royal Society of Edinburgh | 53 | 260 | 1933
    Metropolis et al. | Nicholas Metropolis; Arianna W. Rosenbluth; Marshall N. Rosenbluth; Augusta H. Teller; Edward Teller | Equation of state calculations by fast computing machines | Journal of Chemical Physics | 21 | 1087 | 1953
    Hubbard, Phys | John Hubbard | Calculation of partition functions | Physical Review Letters | 3 | 77 | 1959
    Keller, Segel | Evelyn F. Keller; Lee A. Segel | Model for chemotaxis | Journal of Theoretical Biology | 30 | 225 | 1971
    Kesten, Acta | Harry Kesten | Random difference equations and renewal theory for products of random matrices | Acta Mathematica | 131 | 207 | 1973
    Desai, Zwanzig | Rashmi C. Desai; Robert Zwanzig | Statistical mechanics of a nonlinear stochastic model | Journal of Statistical Physics | 19 | 1 | 1978
    Ellis, Newman | Richard S. Ellis; Charles M. Newman | Limit theorems for sums of dependent random variables occurring in statistical mechanics | Zeitschrift für Wahrscheinlichkeitstheorie und verwandte Gebiete | 44 | 117 | 1978
    Dawson, J. | Donald A. Dawson | Critical dynamics and fluctuations for a mean-field model of cooperative behavior | Journal of Statistical Physics | 31 | 29 | 1983
    Kostlan, Linear | Eric Kostlan | On the spectra of Gaussian matrices | Linear Algebra and its Applications | 162 | 385 | 1992
    Wood, Commun | Andrew T. A. Wood | Simulation of the von Mises Fisher distribution | Communications in Statistics - Simulation and Computation | 23 | 157 | 1994
    Goemans, Williamson | Michel X. Goemans; David P. Williamson | Improved approximation algorithms for maximum cut and satisfiability problems using semidefinite programming | Journal of the ACM | 42 | 1115 | 1995
    Roberts, Tweedie | Gareth O. Roberts; Richard L. Tweedie | Exponential convergence of Langevin distributions and their discrete approximations | Bernoulli | 2 | 341 | 1996
    Engle and Russell | Robert F. Engle; Jeffrey R. Russell | Autoregressive conditional duration: a new model for irregularly spaced transaction data | Econometrica | 66 | 1127 | 1998
    Mardia, Jupp | Kanti V. Mardia; Peter E. Jupp | Directional Statistics | Wiley | | | 2000
    Cox, Matthews | Stephen M. Cox; Paul C. Matthews | Exponential time differencing for stiff systems | Journal of Computational Physics | 176 | 430 | 2002
    Bussi, Parrinello | Giovanni Bussi; Michele Parrinello | Accurate sampling using Langevin dynamics | Physical Review E | 75 | 056707 | 2007
    Bertini, Giacomin, Pakdaman | Lorenzo Bertini; Giambattista Giacomin; Khashayar Pakdaman | Dynamical aspects of mean field plane rotators and the Kuramoto model | Journal of Statistical Physics | 138 | 270 | 2010
    Singer, Appl | Amit Singer | Angular synchronization by eigenvectors and semidefinite programming | Applied and Computational Harmonic Analysis | 30 | 20 | 2011
    Welling and Teh | Max Welling; Yee Whye Teh | Bayesian learning via stochastic gradient Langevin dynamics | International Conference on Machine Learning | | | 2011
    Fournier, Jourdain | Nicolas Fournier; Benjamin Jourdain | Stochastic particle approximation of the Keller-Segel equation and two-dimensional generalization of Bessel processes | Annals of Applied Probability | 27 | 2807 | 2017
    How powerful are shallow networks with bandlimited random weights? | Ming Li; Sho Sonoda; Feilong Cao; Yu Guang Wang; Jiye Liang | How Powerful are Shallow Neural Networks with Bandlimited Random Weights? | International Conference on Machine Learning | | | 2023
    """
  ) {
    Work(
      marker: $0[0], authors: $0[1], title: $0[2], year: Int($0[6])!, journal: $0[3], volume: $0[4], pages: $0[5])
  }

  private static func lines(_ text: String, _ make: ([String]) -> Work) -> [Work] {
    text.split(separator: "\n").map { line in
      make(
        line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) })
    }
  }
}
