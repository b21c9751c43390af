# A Spack package of fathom. Put it into a repository of your own:
#   mkdir -p my-repo/packages/fathom && cp packaging/package.py my-repo/packages/fathom/
#   echo "repo: {namespace: mine}" > my-repo/repo.yaml && spack repo add my-repo && spack install fathom
# Swift is not in Spack: name yours in packages.yaml as an external package `swift`, prefix = the folder above its bin. Replace `git` by where your
# copy of the sources is. Not tried under Spack, which Debian 12 has not; the commands of `install` are those of `make install`, which are.

from spack.package import *  # noqa: F403


class Fathom(Package):  # noqa: F405
    """Measures finite random networks and particle systems and compares them with their scaling limits."""

    homepage = "https://example.org/fathom"
    git = "https://example.org/fathom.git"
    license("Apache-2.0")  # noqa: F405

    version("0.2.0", tag="v0.2.0")  # noqa: F405

    variant("mpich", default=False, description="Build with MPICH instead of Open MPI")  # noqa: F405
    depends_on("openmpi@4.1:4", when="~mpich", type=("build", "link", "run"))  # noqa: F405
    depends_on("mpich@4:", when="+mpich", type=("build", "link", "run"))  # noqa: F405
    depends_on("hdf5@1.10:1.14 +hl ~mpi")  # noqa: F405
    depends_on("openssl@3:")  # noqa: F405
    depends_on("swift@6.2:", type=("build", "link", "run"))  # noqa: F405
    depends_on("pkgconfig", type="build")  # noqa: F405
    depends_on("python@3.11:", type="build")  # noqa: F405

    def setup_build_environment(self, env):
        target = str(self.spec.target)
        env.set("FATHOM_MPI", "mpich" if self.spec.satisfies("+mpich") else "openmpi")
        # x86_64_v3 is x86-64-v3 to the compiler; what Spack calls other targets it may not know.
        env.set("FATHOM_MARCH", target.replace("_", "-") if target.startswith("x86_64_v") else "native")
        env.prepend_path("PKG_CONFIG_PATH", join_path(self.stage.source_path, "pkgconfig"))  # noqa: F405

    def install(self, spec, prefix):
        # Package.swift asks pkg-config for Debian's name of serial HDF5.
        mkdirp("pkgconfig")  # noqa: F405
        symlink(join_path(spec["hdf5"].prefix.lib, "pkgconfig", "hdf5.pc"), join_path("pkgconfig", "hdf5-serial.pc"))  # noqa: F405
        Executable(join_path(spec["swift"].prefix.bin, "swift"))("build", "-c", "release", "--product", "fathom")  # noqa: F405
        Executable("bash")("tools/install.sh", prefix)  # noqa: F405
