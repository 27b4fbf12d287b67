import functions_framework


@functions_framework.http
def handler(request):
    return '{"hello": "world"}', 200, {"Content-Type": "application/json"}
