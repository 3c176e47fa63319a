from __future__ import annotations

from rest_framework import viewsets

from plain_drf.models import Todo
from plain_drf.serializers import TodoSerializer


class TodoViewSet(viewsets.ModelViewSet):
    serializer_class = TodoSerializer
    queryset = Todo.objects.all()

    def get_queryset(self):
        return super().get_queryset().filter(owner_id=self.request.user.id)

    def perform_create(self, serializer):
        serializer.save(owner_id=self.request.user.id)
