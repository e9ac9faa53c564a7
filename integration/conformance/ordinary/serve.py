"""A server on the loopback that answers whoever knows the token: packages, repositories, documents."""
import base64, hashlib, http.server, io, json, os, subprocess, sys, zipfile

token = open("/run/secrets/token").read().strip()
basic = base64.b64encode(b"me:" + token.encode()).decode()
known = {"Basic " + basic, "Bearer " + token, "token " + token}
site = "/tmp/site"
os.makedirs(site + "/simple/labpkg")


def put(path, content):
    os.makedirs(os.path.dirname(site + path), exist_ok=True)
    with open(site + path, "wb") as file:
        file.write(content)


wheel = io.BytesIO()
with zipfile.ZipFile(wheel, "w") as z:
    info = "labpkg-1.0.dist-info/"
    z.writestr("labpkg.py", "answer = 42\n")
    z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: labpkg\nVersion: 1.0\n")
    z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr(info + "RECORD", f"labpkg.py,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
name = "labpkg-1.0-py3-none-any.whl"
put("/simple/labpkg/" + name, wheel.getvalue())
put("/simple/labpkg/index.html", f'<a href="{name}">{name}</a>'.encode())
put("/labpkg", json.dumps({"name": "labpkg", "version": "1.0.0"}).encode())
put("/file.tgz", b"\x1f\x8b a file")

if sys.argv[1] == "git":
    git = lambda *args: subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x", *args], check=True, stdout=2)
    git("init", "-q", "/tmp/origin")
    open("/tmp/origin/README", "w").write("ours\n")
    git("-C", "/tmp/origin", "add", ".")
    git("-C", "/tmp/origin", "commit", "-qm", "first")
    git("clone", "-q", "--bare", "/tmp/origin", site + "/repo.git")
    git("-C", site + "/repo.git", "update-server-info")
if sys.argv[1] == "apt":
    os.makedirs("/tmp/deb/DEBIAN")
    os.makedirs("/tmp/deb/opt")
    open("/tmp/deb/opt/lab", "w").write("ours\n")
    control = "Package: lab\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y>\nDescription: x\n"
    open("/tmp/deb/DEBIAN/control", "w").write(control)
    subprocess.run(["dpkg-deb", "-b", "/tmp/deb", site + "/lab.deb"], check=True, stdout=2)
    deb = open(site + "/lab.deb", "rb").read()
    digest = hashlib.sha256(deb).hexdigest()
    put("/Packages", f"{control}Filename: ./lab.deb\nSize: {len(deb)}\nSHA256: {digest}\n".encode())


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory=site)

    def do_GET(self):
        given = self.headers.get("Authorization", ""), self.headers.get("PRIVATE-TOKEN", "")
        if given[0] in known or given[1] == token:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="lab"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler)
open("/tmp/ready", "w").close()
server.serve_forever()
