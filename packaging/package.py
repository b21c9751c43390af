# A Spack package of fathom. Put it into a repository of your own:
#   mkdir -p my-repo/packages/fathom && cp packaging/package.py my-repo/packages/fathom/
#   echo "repo: {namespace: mine}" > my-repo/repo.yaml && spack repo add my-repo && spack install fathom
# Swift is not in Spack: name yours in packages.yaml as an external package `swift`, prefix = the folder above its bin.
# Replace `git` by where your copy of the sources is.

from spack.package import *  # noqa: F403


class Fathom(MakefilePackage):  # noqa: F405
    """Measures finite random networks and particle systems and compares them with their scaling limits."""

    homepage = "https://example.org/fathom"
    git = "https://example.org/fathom.git"
    license("Apache-2.0")  # noqa: F405

    version("main", branch="main")  # noqa: F405

    depends_on("openmpi@4.1:4", type=("build", "link", "run"))  # noqa: F405
    depends_on("hdf5@1.10:1.14 +hl ~mpi")  # noqa: F405
    depends_on("openssl@3:")  # noqa: F405
    depends_on("swift@6.2:", type=("build", "link", "run"))  # noqa: F405
    depends_on("pkgconfig", type="build")  # noqa: F405

    def build(self, spec, prefix):
        # Package.swift asks pkg-config for Debian's names of the two libraries.
        names = {"ompi-c": join_path(spec["openmpi"].prefix.lib, "pkgconfig", "ompi-c.pc"),  # noqa: F405
                 "hdf5-serial": join_path(spec["hdf5"].prefix.lib, "pkgconfig", "hdf5.pc")}  # noqa: F405
        mkdirp("pkgconfig")  # noqa: F405
        for name, file in names.items():
            symlink(file, join_path("pkgconfig", f"{name}.pc"))  # noqa: F405
        swift = Executable(join_path(spec["swift"].prefix.bin, "swift"))  # noqa: F405
        swift("build", "-c", "release", "--product", "fathom", extra_env={"PKG_CONFIG_PATH": "pkgconfig"})

    def install(self, spec, prefix):
        Executable("bash")("tools/install.sh", prefix)  # noqa: F405
